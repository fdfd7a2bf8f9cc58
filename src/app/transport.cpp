// SPDX-License-Identifier: MIT
#include "app/transport.h"

namespace qmux::app {

quic::TransportConfig to_transport(const QuicConfig& config) {
  return {.initial_stream_window_bytes = config.initial_stream_window_bytes,
          .max_stream_window_bytes = config.max_stream_window_bytes,
          .initial_connection_window_bytes = config.initial_connection_window_bytes,
          .max_connection_window_bytes = config.max_connection_window_bytes,
          .incoming_streams_max = config.max_incoming_streams,
          .keep_alive_period = config.keep_alive_period,
          .handshake_timeout = config.handshake_idle_timeout,
          .idle_timeout = config.max_idle_timeout,
          .congestion_control = config.congestion_control == CongestionControl::cubic ? quic::CongestionControl::cubic
                                                                                      : quic::CongestionControl::bbr,
          .udp_payload_max_bytes = config.max_udp_payload_size_bytes};
}

tunnel::UdpOptions to_udp(const UdpConfig& config) {
  return {.fragmentation = config.enable_fragmentation,
          .payload_bytes_max = config.read_buffer_size_bytes,
          .datagram_bytes_max = config.datagram_buffer_size_bytes.value_or(0),
          .session_idle_timeout = config.session_idle_timeout};
}

tunnel::HealthOptions to_health(const HealthConfig& config) {
  return {.heartbeat_interval = config.heartbeat_interval, .timeout = config.health_timeout};
}

}  // namespace qmux::app
