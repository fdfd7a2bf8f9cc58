# SPDX-License-Identifier: MIT
"""Everything that a test needs around the programs: certificates, configuration, processes, services, visitors."""
