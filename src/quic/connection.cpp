// SPDX-License-Identifier: MIT
#include "quic/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/printable.h"
#include "quic/connection_callbacks.h"
#include "quic/connection_id.h"
#include "quic/library_guard.h"
#include "quic/limits.h"
#include "quic/ngtcp2_types.h"
#include "quic/packet_sizes.h"

namespace qmux::quic {
namespace {

// ngtcp2 wants no probe above the cap: the list ends before the first one that is.
std::size_t usable_probes(std::size_t payload_bytes_max) {
  const auto* const end =
      std::ranges::find_if(kPacketSizeProbes, [&](std::size_t probe) { return probe > payload_bytes_max; });
  return static_cast<std::size_t>(end - kPacketSizeProbes.begin());
}

/// "5 s", "0.3 s", "3600 s"
std::string seconds_text(Duration duration) {
  return fmt::format("{} s", std::chrono::duration<double>(duration).count());
}

std::string alert_text(std::uint8_t alert) {
  const char* const name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
  return name != nullptr ? name : fmt::format("alert {}", alert);
}

}  // namespace

Connection::Connection(ConnectionHost& host, const ConnectionStart& start, bool server)
    : host_(host),
      transport_(*start.transport),
      server_(server),
      local_(start.first.local),
      remote_(start.first.remote),
      unsent_bytes_max_(limits::kStreamUnsentBytesMin) {
  conn_ref_.user_data = this;
  conn_ref_.get_conn = [](ngtcp2_crypto_conn_ref* ref) {
    return static_cast<Connection*>(ref->user_data)->conn_.get();
  };
  ngtcp2_ccerr_default(&close_error_);
}

Connection::~Connection() {
  for (const ngtcp2_cid& id : routed_ids_) host_.unroute(id);
  if (library_failed_) {
    // As far as it goes, for what ngtcp2 holds besides memory: the contexts of its keys.
    memory_.keep_all();
    (void)guarded([conn = conn_.release()] {
      ngtcp2_conn_del(conn);
      return 0;
    });
  }
}

std::unique_ptr<Connection> Connection::accept(ConnectionHost& host, const ConnectionStart& start) {
  std::unique_ptr<Connection> connection(new Connection(host, start, true));
  return connection->start_server(start) ? std::move(connection) : nullptr;
}

std::unique_ptr<Connection> Connection::connect(ConnectionHost& host, const ConnectionStart& start) {
  std::unique_ptr<Connection> connection(new Connection(host, start, false));
  return connection->start_client(start) ? std::move(connection) : nullptr;
}

void Connection::fill_settings(const ConnectionStart& start, ngtcp2_settings& settings,
                               ngtcp2_transport_params& params) const {
  ngtcp2_settings_default(&settings);
  settings.cc_algo =
      transport_.congestion_control == CongestionControl::bbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
  settings.initial_ts = tstamp(host_.loop().now());
  if (start.path_rtt) {
    settings.initial_rtt = static_cast<ngtcp2_duration>(
        std::clamp<Duration>(*start.path_rtt, limits::kKnownRttMin, limits::kKnownRttMax).count());
  }
  settings.max_window = transport_.connection_window_bytes_max;
  settings.max_stream_window = transport_.stream_window_bytes_max;
  settings.handshake_timeout = static_cast<ngtcp2_duration>(transport_.handshake_timeout.count());
  settings.max_tx_udp_payload_size = transport_.udp_payload_bytes_max;
  settings.pmtud_probes = kPacketSizeProbes.data();
  settings.pmtud_probeslen = usable_probes(transport_.udp_payload_bytes_max);
  settings.rand_ctx.native_handle = &host_.loop().random();
  settings.token = as_octets(start.token);
  settings.tokenlen = start.token.size();
  settings.token_type = start.token_is_retry ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;

  ngtcp2_transport_params_default(&params);
  params.initial_max_data = transport_.initial_connection_window_bytes;
  params.initial_max_stream_data_bidi_local = transport_.initial_stream_window_bytes;
  params.initial_max_stream_data_bidi_remote = transport_.initial_stream_window_bytes;
  params.initial_max_streams_bidi = transport_.incoming_streams_max;
  params.initial_max_streams_uni = 0;
  params.max_idle_timeout = static_cast<ngtcp2_duration>(transport_.idle_timeout.count());
  params.max_datagram_frame_size = 65535;
  params.active_connection_id_limit = 7;
  params.grease_quic_bit = 1;
}

bool Connection::start_server(const ConnectionStart& start) {
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  fill_settings(start, settings, params);
  params.original_dcid = start.original_dcid.value_or(start.client_dcid);
  params.original_dcid_present = 1;
  if (start.original_dcid) {
    params.retry_scid = start.client_dcid;
    params.retry_scid_present = 1;
  }
  ngtcp2_cid id;
  host_.make_connection_id(id, kConnectionIdBytes, local_, ResetToken(params.stateless_reset_token));
  params.stateless_reset_token_present = 1;

  const ngtcp2_path path = path_of(start.first);
  ngtcp2_conn* conn = nullptr;
  if (ngtcp2_conn_server_new(&conn, &start.client_scid, &id, &path, start.version, &ConnectionCallbacks::server(),
                             &settings, &params, memory_.allocator(), this) != 0) {
    return false;
  }
  if (!adopt(conn, TlsSession::server(start.credentials, conn_ref_))) return false;
  // The client goes on using the ID of its own choice until it has ours.
  add_route(start.client_dcid);
  add_route(id);
  return true;
}

bool Connection::start_client(const ConnectionStart& start) {
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  fill_settings(start, settings, params);
  ngtcp2_cid id;
  ngtcp2_cid server_id;
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> unused_token;
  host_.make_connection_id(id, kConnectionIdBytes, local_, ResetToken(unused_token));
  server_id.datalen = NGTCP2_MAX_CIDLEN;
  host_.loop().random().fill(std::as_writable_bytes(std::span(server_id.data, server_id.datalen)));

  const ngtcp2_path path = path_of(start.first);
  ngtcp2_conn* conn = nullptr;
  if (ngtcp2_conn_client_new(&conn, &server_id, &id, &path, start.version, &ConnectionCallbacks::client(), &settings,
                             &params, memory_.allocator(), this) != 0) {
    return false;
  }
  if (!adopt(conn, TlsSession::client(start.credentials, start.server_name, conn_ref_))) return false;
  add_route(id);
  host_.touch(*this);  // the first Initial waits to be sent
  return true;
}

bool Connection::adopt(ngtcp2_conn* conn, std::unique_ptr<TlsSession> tls) {
  conn_.reset(conn);
  ngtcp2_conn_set_keep_alive_timeout(conn, static_cast<ngtcp2_duration>(transport_.keep_alive_period.count()));
  tls_ = std::move(tls);
  if (!tls_) return false;
  ngtcp2_conn_set_tls_native_handle(conn, tls_->raw());
  return true;
}

void Connection::add_route(const ngtcp2_cid& id) {
  routed_ids_.push_back(id);
  host_.route(id, *this);
}

void Connection::drop_route(const ngtcp2_cid& id) {
  std::erase_if(routed_ids_, [&](const ngtcp2_cid& routed) { return ngtcp2_cid_eq(&routed, &id) != 0; });
  host_.unroute(id);
}

std::string Connection::peer_name() const { return tls_->peer_common_name(); }

std::string Connection::application_protocol() const { return tls_->application_protocol(); }

ngtcp2_conn_info Connection::library_info() const noexcept {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn_.get(), &info);
  return info;
}

Duration Connection::smoothed_rtt() const noexcept {
  return Duration(static_cast<Duration::rep>(library_info().smoothed_rtt));
}

bool Connection::is_window_full() const noexcept {
  const ngtcp2_conn_info info = library_info();
  return info.bytes_in_flight + packet_bytes() > info.cwnd;
}

Duration Connection::probe_timeout() const noexcept {
  return Duration(static_cast<Duration::rep>(ngtcp2_conn_get_pto(conn_.get())));
}

std::size_t Connection::path_bytes() const noexcept {
  return ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_.get());
}

std::size_t Connection::packet_bytes() const noexcept { return path_mtu_.packet_bytes(path_bytes()); }

void Connection::packet_refused(std::size_t bytes, Time now) {
  if (phase_ == Phase::alive) path_mtu_.packet_refused(bytes, path_bytes(), now);
}

Time Connection::deadline(Time now) const noexcept {
  if (phase_ != Phase::alive) return kNever;
  ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(conn_.get());
  // ngtcp2 wants to be woken for the pacing of every packet, also when there is nothing more to send. Nothing else that it
  // waits for is so urgent.
  if (schedule_.empty() && !datagrams_due_) expiry = std::max(expiry, tstamp(now + limits::kIdleTimerGranularity));
  // UINT64_MAX and everything else beyond our clock means never.
  Time due = silence_.look_at();
  if (const Time closed = port_closed_at(); closed > now) due = std::min(due, closed);
  if (expiry >= static_cast<ngtcp2_tstamp>(kNever.time_since_epoch().count())) return due;
  return std::min(Time(Duration(static_cast<Duration::rep>(expiry))), due);
}

void Connection::receive(const io::PacketRun& run, ConstBytes datagram, Time now) {
  if (phase_ != Phase::alive) return;
  last_datagram_ = now;
  const ngtcp2_path path = path_of(run);
  ngtcp2_pkt_info info{};
  info.ecn = static_cast<std::uint8_t>(run.ecn);
  int error = 0;
  {
    const CurrentConnection owner(*this);
    error = guarded([&] {
      return ngtcp2_conn_read_pkt(conn_.get(), &path, &info, as_octets(datagram), datagram.size(), tstamp(now));
    });
  }
  if (std::exchange(heard_, false)) {
    last_heard_ = now;
    silence_.heard();
    unreachable_count_ = 0;
  }
  if (std::exchange(data_heard_, false)) last_data_ = now;
  if (error != 0) fail_with(error, now);
  host_.touch(*this);
}

void Connection::set_keep_alive(Duration period) {
  if (phase_ != Phase::alive) return;
  ngtcp2_conn_set_keep_alive_timeout(conn_.get(), static_cast<ngtcp2_duration>(period.count()));
  host_.touch(*this);
}

void Connection::migrate(const Address& local, Time now) {
  if (server_ || phase_ != Phase::alive) return;
  const io::PacketRun run{.local = local, .remote = remote_, .bytes = {}};
  const ngtcp2_path path = path_of(run);
  const int error = guarded([&] { return ngtcp2_conn_initiate_immediate_migration(conn_.get(), &path, tstamp(now)); });
  if (error == kLibraryFailed) return fail_with(error, now);
  // Before the handshake is confirmed, or without a spare connection ID, the server finds out as after a NAT rebinding.
  if (error != 0) ngtcp2_conn_set_local_addr(conn_.get(), &path.local);
  local_ = local;
  path_mtu_.path_changed();
  unreachable_count_ = 0;
  host_.touch(*this);
}

void Connection::unreachable(io::Unreachable why) {
  if (server_ || phase_ != Phase::alive || !std::exchange(sent_since_unreachable_, false)) return;
  unreachable_count_ = std::exchange(last_unreachable_, why) == why ? unreachable_count_ + 1 : 1;
  if (heard()) {
    host_.touch(*this);  // for its deadline
  } else if (unreachable_count_ == 2) {
    end({.kind = CloseCause::Kind::unreachable, .unreachable = why}, Phase::gone, kNever);
  }
}

Time Connection::port_closed_at() const noexcept {
  const bool reported = silence_.is_asked() && last_unreachable_ == io::Unreachable::port && unreachable_count_ >= 2;
  if (!reported) return kNever;
  return silence_.asked_at() + std::max<Duration>(limits::kPortClosedTimeMin, 3 * probe_timeout());
}

bool Connection::port_is_closed(Time now) const noexcept {
  // A packet without a report may have got through.
  return !sent_since_unreachable_ && now >= port_closed_at();
}

void Connection::expire(Time now) {
  if (phase_ == Phase::alive) {
    const int error = guarded([&] { return ngtcp2_conn_handle_expiry(conn_.get(), tstamp(now)); });
    if (error != 0) fail_with(error, now);
  }
  host_.touch(*this);
}

bool Connection::bound_handshake(std::size_t bytes_max) {
  if (phase_ != Phase::alive || handshake_completed_ || library_bytes() <= bytes_max) return false;
  close(ErrorCode::limit_reached, "the handshake takes too much memory");
  return true;
}

void Connection::abandon(Duration silence) {
  if (phase_ == Phase::alive) end({CloseCause::Kind::handshake_timeout, 0, seconds_text(silence)}, Phase::gone, kNever);
}

void Connection::mark_proven() {
  proven_ = true;
  host_.touch(*this);
}

// --- the end ----------------------------------------------------------------------------------------------------------

void Connection::close(ErrorCode code, std::string reason) {
  if (phase_ != Phase::alive) return;
  close_reason_ = std::move(reason);
  ngtcp2_ccerr_set_application_error(&close_error_, static_cast<std::uint64_t>(code),
                                     reinterpret_cast<const std::uint8_t*>(close_reason_.data()), close_reason_.size());
  begin_closing({CloseCause::Kind::local, static_cast<std::uint64_t>(code), close_reason_}, host_.loop().now());
}

void Connection::fail_with(int ngtcp2_error, Time now) {
  using Kind = CloseCause::Kind;
  if (ngtcp2_error == kLibraryFailed) {
    library_failed_ = true;
    return end({Kind::protocol_error, 0, "the QUIC library failed: " + library_failure()}, Phase::gone, kNever);
  }
  const Time three_timeouts = now + 3 * probe_timeout();
  switch (ngtcp2_error) {
    case NGTCP2_ERR_IDLE_CLOSE:
      if (!heard()) return end({Kind::no_answer, 0, seconds_text(transport_.idle_timeout)}, Phase::gone, kNever);
      return end({Kind::idle_timeout, 0, {}}, Phase::gone, kNever);
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      return end({heard() ? Kind::handshake_timeout : Kind::no_answer, 0, seconds_text(transport_.handshake_timeout)},
                 Phase::gone, kNever);
    case NGTCP2_ERR_DRAINING:
      return end(peer_cause(), Phase::draining, three_timeouts);
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      return end({Kind::version, 0, {}}, Phase::gone, kNever);
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN:
      return end({Kind::protocol_error, 0, "not a connection attempt that can be answered"}, Phase::gone, kNever);
    case NGTCP2_ERR_CRYPTO:
      return begin_closing(tls_cause(), now);
    default:
      ngtcp2_ccerr_set_liberr(&close_error_, ngtcp2_error, nullptr, 0);
      return begin_closing(
          {Kind::protocol_error, close_error_.error_code, std::string("QUIC: ") + ngtcp2_strerror(ngtcp2_error)}, now);
  }
}

CloseCause Connection::tls_cause() {
  using Kind = CloseCause::Kind;
  const std::uint8_t alert = tls_->verification_alert(ngtcp2_conn_get_tls_alert(conn_.get()));
  CloseCause cause{.kind = Kind::protocol_error};
  cause.fault = tls_->verification_fault();
  if (cause.fault != CertificateFault::none) {
    cause.kind = Kind::certificate;
    cause.text = tls_->verification_failure(host_.loop().unix_seconds());
    close_reason_ = shown("certificate " + cause.text, limits::kCloseReasonBytesMax);
  } else if (std::string refusal = tls_->own_certificate_refusal(); !refusal.empty()) {
    cause.kind = Kind::own_certificate;
    cause.fault = CertificateFault::wrong_key_kind;
    cause.text = std::move(refusal);
  } else if (alert == GNUTLS_A_CERTIFICATE_REQUIRED) {
    cause.kind = Kind::certificate;
    cause.fault = CertificateFault::missing;
  } else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL) {
    cause.kind = Kind::application_protocol;
  } else {
    cause.text = "TLS: " + alert_text(alert);
  }
  ngtcp2_ccerr_set_tls_alert(&close_error_, alert, reinterpret_cast<const std::uint8_t*>(close_reason_.data()),
                             close_reason_.size());
  cause.code = close_error_.error_code;
  return cause;
}

CloseCause Connection::peer_cause() const {
  using Kind = CloseCause::Kind;
  if (stateless_reset_) return {Kind::stateless_reset, 0, {}};
  const ngtcp2_ccerr* error = ngtcp2_conn_get_ccerr(conn_.get());
  CloseCause cause;
  cause.code = error->error_code;
  cause.kind = error->type == NGTCP2_CCERR_TYPE_APPLICATION ? Kind::peer_application : Kind::peer_transport;
  cause.text = shown(as_text(std::as_bytes(std::span(error->reason, error->reasonlen))), limits::kCloseReasonBytesMax);
  if (cause.kind == Kind::peer_application) return cause;
  if (cause.code < NGTCP2_CRYPTO_ERROR || cause.code > NGTCP2_CRYPTO_ERROR + 0xff) {
    if (cause.text.empty()) cause.text = fmt::format("QUIC code {:#x}", cause.code);
    return cause;
  }
  const auto alert = static_cast<std::uint8_t>(cause.code - NGTCP2_CRYPTO_ERROR);
  cause.fault = fault_of_alert(alert);
  if (std::string refusal = tls_->own_certificate_refusal(); !refusal.empty()) {
    cause.kind = Kind::own_certificate;
    cause.fault = CertificateFault::wrong_key_kind;
    cause.text = std::move(refusal);
  } else if (cause.fault != CertificateFault::none) {
    cause.kind = Kind::own_certificate;
  } else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL) {
    cause.kind = Kind::application_protocol;
    cause.text.clear();
  } else if (cause.text.empty()) {
    cause.text = "TLS: " + alert_text(alert);
  }
  return cause;
}

void Connection::begin_closing(CloseCause cause, Time now) {
  std::array<std::byte, NGTCP2_MAX_UDP_PAYLOAD_SIZE> packet;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  const ngtcp2_ssize written = guarded([&] {
    return ngtcp2_conn_write_connection_close(conn_.get(), &path.path, &info, as_octets(MutableBytes(packet)),
                                              packet.size(), &close_error_, tstamp(now));
  });
  library_failed_ = library_failed_ || written == kLibraryFailed;
  if (written <= 0) return end(std::move(cause), Phase::gone, kNever);  // nothing was exchanged that could be closed
  close_packet_.assign(packet.begin(), packet.begin() + written);
  close_packet_due_ = true;
  local_ = from_ngtcp2(path.path.local);
  remote_ = from_ngtcp2(path.path.remote);
  end(std::move(cause), Phase::closing, now + 3 * probe_timeout());
}

ConnectionRemains Connection::take_remains() {
  CHECK(disposable());
  for (const ngtcp2_cid& id : routed_ids_) host_.unroute(id);
  const bool answers = phase_ == Phase::closing;
  return {.close_packet = answers ? std::move(close_packet_) : std::vector<std::byte>(),
          .local = local_,
          .remote = remote_,
          .ids = std::exchange(routed_ids_, {}),
          .until = phase_ == Phase::gone ? Time{} : end_of_life_};
}

void Connection::end(CloseCause cause, Phase phase, Time end_of_life) {
  phase_ = phase;
  end_of_life_ = end_of_life;
  if (!cause_) cause_ = std::move(cause);
  host_.touch(*this);
}

}  // namespace qmux::quic
