// SPDX-License-Identifier: MIT
#pragma once

#include "app/config/common_config.h"
#include "quic/transport_config.h"
#include "tunnel/control/control_stream.h"
#include "tunnel/options.h"

namespace qmux::app {

/// The configuration's QUIC keys in the words of the layer that they are for.
[[nodiscard]] quic::TransportConfig to_transport(const QuicConfig& config);
[[nodiscard]] tunnel::UdpOptions to_udp(const UdpConfig& config);
tunnel::HealthOptions to_health(const HealthConfig& config);

}  // namespace qmux::app
