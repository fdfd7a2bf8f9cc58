// SPDX-License-Identifier: MIT
//
// One run of the simulator, from a seed to a verdict: draw a plan, build its deployment, begin the visits and the
// faults, stop everything in order, and check what must hold in every run.
//
// The verdict and the trace depend on the seed alone. One thread; one run at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quic/credentials.h"

namespace qmux::sim {

struct Verdict {
  std::vector<std::string> violations;  ///< none: passed
  std::uint64_t trace_hash = 0;         ///< this and the next: 0 with Tracing::off
  std::uint64_t event_count = 0;
  std::string summary;   ///< one line on what the run was like
  std::string scenario;  ///< that took place; empty: none
};

/// Certificates of the simulator's servers and clients; they outlive the run.
struct RunCredentials {
  std::shared_ptr<const quic::Credentials> server;
  std::shared_ptr<const quic::Credentials> client;
  std::shared_ptr<const quic::Credentials> intruder;   ///< of an authority that the server does not trust
  std::shared_ptr<const quic::Credentials> anonymous;  ///< a client's without a certificate
};

/// What is run besides the seed.
struct RunSettings {
  RunCredentials credentials;
  std::string scenario{};  ///< this one (scenarios.h) instead of what each seed draws; empty: what it draws
};

/// What becomes of a run's trace: nothing, a hash, or a hash and lines on standard output.
enum class Tracing : std::uint8_t { off, hashed, printed };

[[nodiscard]] Verdict run_seed(std::uint64_t seed, const RunSettings& settings, Tracing tracing);

}  // namespace qmux::sim
