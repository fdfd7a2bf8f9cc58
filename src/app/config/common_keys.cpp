// SPDX-License-Identifier: MIT
#include "app/config/common_keys.h"

#include <algorithm>

#include "app/config/reading/duration.h"
#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::app {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kVarintMax = (std::uint64_t{1} << 62U) - 1;  // RFC 9000 section 16
constexpr std::uint64_t kStreamsMax = std::uint64_t{1} << 60U;       // RFC 9000 section 4.6
constexpr std::uint64_t kPacketBytesMin = 1200;                      // RFC 9000 section 14
constexpr std::uint64_t kPacketBytesMax = 65'527;                    // RFC 9000 section 18.2
constexpr std::uint32_t kPayloadBytesMax = 65'535;
constexpr std::uint64_t kReadBufferBytesMax = 1'048'576;  // files say 65536 and more where kPayloadBytesMax is meant
constexpr std::chrono::seconds kTcpKeepAliveTimeMin{1};
constexpr std::chrono::hours kTcpKeepAliveTimeMax{9};  // tcp(7) takes up to 32,767 s
constexpr std::chrono::seconds kDrainTimeMin{1};
constexpr std::chrono::hours kDrainTimeMax{24};

std::string path_in(const std::string& map, std::string_view key) {
  return map.empty() ? std::string(key) : map + "." + std::string(key);
}

void check_window(Report& report, const std::string& initial_path, std::uint64_t initial, const std::string& max_path,
                  std::uint64_t& max) {
  if (initial <= max || report.failed(initial_path) || report.failed(max_path)) return;
  // The Go programs accept a large initial window alone. It then means that the window does not grow.
  if (!report.given(max_path)) {
    max = initial;
    return;
  }
  report.error(report.given(initial_path) ? initial_path : max_path,
               "the initial window " + std::to_string(initial) + " exceeds the maximal one " + std::to_string(max),
               "initial at most maximal");
}

}  // namespace

void quic_keys(Section& keys, quic::TransportConfig& quic) {
  keys.number("initialstreamreceivewindow", quic.initial_stream_window_bytes, 1, kVarintMax);
  keys.number("maxstreamreceivewindow", quic.stream_window_bytes_max, 1, kVarintMax);
  keys.number("initialconnectionreceivewindow", quic.initial_connection_window_bytes, 1, kVarintMax);
  keys.number("maxconnectionreceivewindow", quic.connection_window_bytes_max, 1, kVarintMax);
  keys.number("maxincomingstreams", quic.incoming_streams_max, 1, kStreamsMax);
  keys.duration("keepaliveperiod", quic.keep_alive_period, 1ms, kDurationMax);
  keys.duration("handshakeidletimeout", quic.handshake_timeout, 1ms, kDurationMax);
  keys.duration("maxidletimeout", quic.idle_timeout, 1ms, kDurationMax);
  keys.flag("allow0rtt", quic.allow_0rtt).no_effect_yet();
  keys.choice("congestion_control", quic.congestion_control,
              {{"bbr", quic::CongestionControl::bbr}, {"cubic", quic::CongestionControl::cubic}});
  keys.number("max_udp_payload_size", quic.udp_payload_bytes_max, kPacketBytesMin, kPacketBytesMax);
}

void udp_keys(Section& keys, tunnel::UdpOptions& udp) {
  // Tuning of the Go program that has no counterpart here.
  std::uint32_t shards = 16;
  bool pooling = true;
  std::uint32_t read_buffer = kPayloadBytesMax;
  keys.flag("enable_fragmentation", udp.fragmentation);
  keys.number("fragment_assembler_shards", shards, 1, 65'536).no_effect();
  keys.flag("enable_buffer_pooling", pooling).no_effect();
  keys.number("read_buffer_size", read_buffer, 1, kReadBufferBytesMax);
  udp.payload_bytes_max = std::min<std::size_t>(read_buffer, limits::kUdpPayloadBytesMax);
  keys.number("datagram_buffer_size", udp.datagram_bytes_max, 0, 65'535);
  keys.duration("session_idle_timeout", udp.session_idle_timeout, 1ms, kDurationMax);
}

void auth_method_key(Section& keys, AuthMethod& method) {
  keys.choice("method", method, {{"mtls", AuthMethod::mtls}, {"token", AuthMethod::token}});
}

void health_keys(Section& keys, tunnel::HealthOptions& health) {
  keys.duration("heartbeat_interval", health.heartbeat_interval, 1ms, kDurationMax);
  keys.duration("health_timeout", health.timeout, 1ms, kDurationMax);
}

void log_keys(Section& keys, LogConfig& log) {
  keys.choice("level", log.level,
              {{"debug", log::Level::debug},
               {"info", log::Level::info},
               {"warn", log::Level::warn},
               {"error", log::Level::error}});
  keys.choice("format", log.format, {{"text", log::Format::text}, {"json", log::Format::json}});
}

void tcp_keepalive_key(Section& keys, Duration& tcp_keepalive) {
  keys.seconds_or_off("tcp_keepalive", tcp_keepalive, kTcpKeepAliveTimeMin, kTcpKeepAliveTimeMax);
}

void drain_timeout_key(Section& keys, Duration& drain_timeout) {
  keys.seconds_or_off("drain_timeout", drain_timeout, kDrainTimeMin, kDrainTimeMax);
}

void check_windows(Report& report, const std::string& path, quic::TransportConfig& quic) {
  check_window(report, path_in(path, "initialstreamreceivewindow"), quic.initial_stream_window_bytes,
               path_in(path, "maxstreamreceivewindow"), quic.stream_window_bytes_max);
  check_window(report, path_in(path, "initialconnectionreceivewindow"), quic.initial_connection_window_bytes,
               path_in(path, "maxconnectionreceivewindow"), quic.connection_window_bytes_max);
}

void check_udp(Report& report, const std::string& path, const tunnel::UdpOptions& udp) {
  const std::size_t datagram = udp.datagram_bytes_max;
  if (datagram == 0 || !udp.fragmentation) return;
  const std::size_t in_fragments =
      datagram > wire::kFragmentHeaderBytes ? (datagram - wire::kFragmentHeaderBytes) * wire::kFragmentsMax : 0;
  if (in_fragments >= udp.payload_bytes_max) return;
  const std::size_t whole = datagram - std::min(datagram, wire::kSessionHeaderBytes);
  report.warn(path_in(path, "datagram_buffer_size"),
              "payloads of more than " + std::to_string(std::max(in_fragments, whole)) + " bytes do not fit " +
                  std::to_string(wire::kFragmentsMax) + " datagrams of this size: they are dropped");
}

void check_health(Report& report, const tunnel::HealthOptions& health) {
  constexpr auto kInterval = "heartbeat_interval";
  constexpr auto kTimeout = "health_timeout";
  if (health.timeout > health.heartbeat_interval) return;
  if (report.failed(kInterval) || report.failed(kTimeout)) return;
  report.error(report.given(kTimeout) ? kTimeout : kInterval,
               "health_timeout " + duration_text(health.timeout) + " does not exceed heartbeat_interval " +
                   duration_text(health.heartbeat_interval),
               "a health_timeout of about three times heartbeat_interval");
}

void check_token(Report& report, AuthMethod method, const Secret& token) {
  constexpr auto kToken = "auth.token";
  if (report.failed("auth.method") || report.failed(kToken)) return;
  if (method == AuthMethod::token && token.empty()) {
    report.error(kToken, "is required with auth.method token");
  } else if (!token.empty() && token.size_bytes() < kTokenBytesMin) {
    report.error(kToken, "has " + std::to_string(token.size_bytes()) + " bytes",
                 "at least " + std::to_string(kTokenBytesMin) + " bytes");
  }
}

}  // namespace qmux::app
