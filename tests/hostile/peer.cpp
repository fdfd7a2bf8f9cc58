// SPDX-License-Identifier: MIT
#include "hostile/peer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/io/event_loop.h"

namespace qmux::hostile {
namespace {

constexpr std::size_t kSourceIdBytes = 8;
constexpr std::size_t kCryptoPerPacketBytes = 1000;
constexpr std::size_t kInitialBytes = 1200;
constexpr std::uint16_t kParametersExtension = 0x39;
constexpr char kAlpn[] = "qmux/1";

Level level_of(gnutls_record_encryption_level_t level) {
  switch (level) {
    case GNUTLS_ENCRYPTION_LEVEL_INITIAL:
      return Level::initial;
    case GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE:
      return Level::handshake;
    default:
      return Level::application;
  }
}

gnutls_record_encryption_level_t gnutls_level(Level level) {
  constexpr std::array kLevelsOfGnutls = {GNUTLS_ENCRYPTION_LEVEL_INITIAL, GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE,
                                          GNUTLS_ENCRYPTION_LEVEL_APPLICATION};
  return kLevelsOfGnutls[static_cast<std::size_t>(level)];
}

}  // namespace

std::vector<std::byte> integer(std::uint64_t value) {
  const Frames encoded = Frames().varint(value);
  const ConstBytes bytes = encoded.bytes();
  return {bytes.begin(), bytes.end()};
}

Peer::Peer(sim::SimLoop& loop, const PeerOptions& options)
    : loop_(loop), server_(options.server), local_(options.local), remote_(options.remote) {
  source_.resize(kSourceIdBytes);
  loop_.random().fill(source_);
  parameters_ = {{TransportParameter::max_idle_timeout, integer(30'000)},
                 {TransportParameter::initial_max_data, integer(1U << 20U)},
                 {TransportParameter::initial_max_stream_data_local, integer(1U << 20U)},
                 {TransportParameter::initial_max_stream_data_remote, integer(1U << 20U)},
                 {TransportParameter::initial_max_streams_bidi, integer(100)},
                 {TransportParameter::active_connection_ids, integer(8)},
                 {TransportParameter::max_datagram_frame, integer(65'535)}};
  open_socket();
  start_tls(options);
  if (server_) return;
  destination_.resize(kSourceIdBytes);
  loop_.random().fill(destination_);
  original_ = destination_;
  side(Level::initial).tx = PacketKeys::initial(original_, false);
  side(Level::initial).rx = PacketKeys::initial(original_, true);
}

Peer::~Peer() {
  gnutls_deinit(session_);
  gnutls_priority_deinit(priority_);
  gnutls_certificate_free_credentials(shown_);
}

void Peer::open_socket() {
  auto socket = loop_.open_datagram({.local = local_, .remote = {}}, *this);
  CHECK(socket.has_value());
  sockets_.push_back(std::move(*socket));
}

void Peer::start_tls(const PeerOptions& options) {
  const unsigned role = server_ ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP;
  CHECK(gnutls_init(&session_, role | GNUTLS_NO_END_OF_EARLY_DATA) == 0);
  const std::string priority =
      std::string("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:%DISABLE_TLS13_COMPAT_MODE:-GROUP-ALL:") +
      (options.retries_hello ? "+GROUP-SECP521R1:" : "") + "+GROUP-X25519";
  CHECK(gnutls_priority_init(&priority_, priority.c_str(), nullptr) == 0);
  CHECK(gnutls_priority_set(session_, priority_) == 0);
  // It shows the same certificate as a program of ours, but its sessions are not a TlsSession's.
  credentials_ = options.credentials;
  CHECK(gnutls_certificate_allocate_credentials(&shown_) == 0);
  gnutls_certificate_set_retrieve_function3(
      shown_, [](gnutls_session_t session, const gnutls_cert_retr_st*, gnutls_pcert_st** chain, unsigned* length,
                 gnutls_ocsp_data_st**, unsigned*, gnutls_privkey_t* key, unsigned*) {
        of(session).credentials_->own_certificate().show(*chain, *length, *key);
        return 0;
      });
  CHECK(gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, shown_) == 0);
  gnutls_session_set_ptr(session_, this);
  gnutls_handshake_set_secret_function(session_, secrets_made);
  gnutls_handshake_set_read_function(session_, crypto_made);
  gnutls_alert_set_read_function(session_, [](gnutls_session_t, gnutls_record_encryption_level_t, gnutls_alert_level_t,
                                              gnutls_alert_description_t) { return 0; });
  CHECK(gnutls_session_ext_register(
            session_, "QUIC transport parameters", kParametersExtension, GNUTLS_EXT_TLS,
            [](gnutls_session_t, const unsigned char*, std::size_t) { return 0; }, parameters_wanted, nullptr, nullptr,
            nullptr, GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE) == 0);
  const gnutls_datum_t alpn{reinterpret_cast<unsigned char*>(const_cast<char*>(kAlpn)), sizeof kAlpn - 1};
  CHECK(gnutls_alpn_set_protocols(session_, &alpn, 1, 0) == 0);
  if (server_) {
    gnutls_certificate_server_set_request(session_, GNUTLS_CERT_REQUIRE);
  } else if (!options.server_name.empty()) {
    CHECK(gnutls_server_name_set(session_, GNUTLS_NAME_DNS, options.server_name.data(), options.server_name.size()) ==
          0);
  }
}

int Peer::secrets_made(gnutls_session_t session, gnutls_record_encryption_level_t level, const void* rx, const void* tx,
                       std::size_t length) {
  Side& side = of(session).side(level_of(level));
  if (rx != nullptr) {
    const ConstBytes secret(static_cast<const std::byte*>(rx), length);
    side.rx.emplace(secret);
    side.rx_next.emplace(secret);
    side.rx_next->update();
  }
  if (tx != nullptr) side.tx.emplace(ConstBytes(static_cast<const std::byte*>(tx), length));
  return 0;
}

int Peer::crypto_made(gnutls_session_t session, gnutls_record_encryption_level_t level,
                      gnutls_handshake_description_t type, const void* data, std::size_t length) {
  if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;
  auto& out = of(session).side(level_of(level)).crypto_out;
  const auto* const bytes = static_cast<const std::byte*>(data);
  out.insert(out.end(), bytes, bytes + length);
  return 0;
}

int Peer::parameters_wanted(gnutls_session_t session, gnutls_buffer_t into) {
  Peer& self = of(session);
  if (!self.sends_parameters_) return 0;
  TransportParameters all = self.parameters_;
  all.try_emplace(TransportParameter::initial_source, self.source_);
  if (self.server_) all.try_emplace(TransportParameter::original_destination, self.original_);
  Frames encoded;
  for (const auto& [number, value] : all) encoded.varint(number).varint(value.size()).raw(value);
  CHECK(gnutls_buffer_append_data(into, encoded.bytes().data(), encoded.bytes().size()) == 0);
  return static_cast<int>(encoded.bytes().size());
}

// --- sending ----------------------------------------------------------------------------------------------------------

void Peer::begin() { run_tls(); }

Frames Peer::take_flight(Level level, std::size_t bytes_max) {
  Side& from = side(level);
  Frames frames;
  const std::size_t bytes = std::min(bytes_max, from.crypto_out.size());
  if (bytes == 0) return frames;
  frames.crypto(from.crypto_out_offset, ConstBytes(from.crypto_out).first(bytes));
  from.crypto_out_offset += bytes;
  from.crypto_out.erase(from.crypto_out.begin(), from.crypto_out.begin() + static_cast<std::ptrdiff_t>(bytes));
  return frames;
}

void Peer::send_flights() {
  for (std::size_t i = 0; i < kLevels; ++i) {
    const auto level = static_cast<Level>(i);
    while (can_send(level) && !side(level).crypto_out.empty()) send(level, take_flight(level, kCryptoPerPacketBytes));
  }
}

Frames Peer::forged_crypto(Level level, ConstBytes data) {
  Frames frames;
  frames.crypto(side(level).crypto_out_offset, data);
  side(level).crypto_out_offset += data.size();
  return frames;
}

std::vector<std::byte> Peer::make_packet(const PacketPlan& plan) {
  Side& from = side(plan.level);
  const std::uint64_t number = from.next_number++;
  Frames header;
  if (plan.level == Level::application) {
    header.fill(1, static_cast<std::uint8_t>(0x43U | (key_phase_ ? 4U : 0U))).raw(destination_);
  } else {
    header.fill(1, plan.level == Level::initial ? 0xc3 : 0xe3).fill(3, 0).fill(1, 1);
    header.varint(destination_.size()).raw(destination_).varint(source_.size()).raw(source_);
    if (plan.level == Level::initial) header.varint(0);  // no token
    header.varint(kPacketNumberBytes + plan.frames.size() + kTagBytes);
  }
  std::array<std::byte, kPacketNumberBytes> cut;
  write_be(MutableBytes(cut), static_cast<std::uint32_t>(number));
  header.raw(cut);
  return from.tx->protect(header, number, plan.frames);
}

void Peer::send(Level level, ConstBytes frames) {
  if (!can_send(level)) return;
  Frames padded;
  padded.raw(frames);
  if (level == Level::initial && frames.size() < kInitialBytes)
    padded.fill(kInitialBytes - frames.size(), FrameType::padding);
  // What is sampled for header protection needs 4 bytes of frames at the least.
  if (padded.bytes().size() < 4) padded.fill(4 - padded.bytes().size(), FrameType::padding);
  send(std::array{PacketPlan{level, padded}});
}

void Peer::send(std::span<const PacketPlan> packets) {
  std::vector<std::byte> datagram;
  for (const PacketPlan& plan : packets) {
    if (!can_send(plan.level)) continue;
    const std::vector<std::byte> packet = make_packet(plan);
    datagram.insert(datagram.end(), packet.begin(), packet.end());
  }
  if (!datagram.empty()) send_raw(datagram);
}

void Peer::send_raw(ConstBytes datagram) {
  (void)sockets_[socket_]->send(
      {.local = {}, .remote = remote_, .bytes = datagram, .segment_bytes = std::max<std::size_t>(datagram.size(), 1)});
}

void Peer::move() {
  ++socket_;
  if (socket_ < sockets_.size()) return;
  local_ = Address::any(local_.family(), 0);
  open_socket();
}

void Peer::move_back() { socket_ -= socket_ > 0 ? 1 : 0; }

void Peer::update_keys() {
  Side& application = side(Level::application);
  if (!application.tx) return;
  application.tx->update();
  key_phase_ = !key_phase_;
}

// --- receiving --------------------------------------------------------------------------------------------------------

void Peer::datagrams_readable() {
  std::array<io::PacketRun, 8> runs;
  for (const auto& socket : sockets_) {
    while (const std::size_t count = socket->receive(runs)) {
      for (const io::PacketRun& run : std::span(runs).first(count)) {
        if (server_ && original_.empty()) remote_ = run.remote;
        for (std::size_t i = 0; i < run.packet_count(); ++i) receive_datagram(run.packet(i));
      }
    }
  }
  answer();
}

void Peer::receive_datagram(ConstBytes datagram) {
  while (!datagram.empty()) receive_packet(datagram);
}

void Peer::receive_packet(ConstBytes& datagram) {
  if ((datagram[0] & std::byte{0x80}) != std::byte{0}) return receive_long(datagram);
  const ConstBytes packet = std::exchange(datagram, {});
  if (const auto opened = open_short(packet)) receive_frames(Level::application, *opened);
}

std::optional<PacketKeys::Opened> Peer::open_short(ConstBytes packet) {
  Side& application = side(Level::application);
  if (!application.rx) return std::nullopt;
  const std::size_t number_at = 1 + source_.size();
  const std::uint64_t expected = application.largest.value_or(0) + 1;
  if (auto opened = application.rx->open(packet, number_at, expected)) return opened;
  auto opened = application.rx_next->open(packet, number_at, expected);
  if (opened) {
    application.rx->update();
    application.rx_next->update();
  }
  return opened;
}

void Peer::receive_long(ConstBytes& datagram) {
  const ConstBytes whole = std::exchange(datagram, {});
  if (whole.size() < 7) return;
  const unsigned type = std::to_integer<unsigned>(whole[0]) >> 4U & 3U;
  ConstBytes rest = whole.subspan(5);
  const auto take_id = [&rest] {
    const std::size_t length = std::min(std::to_integer<std::size_t>(rest[0]), rest.size() - 1);
    const ConstBytes id = rest.subspan(1, length);
    rest = rest.subspan(1 + length);
    return id;
  };
  const ConstBytes to = take_id();
  if (rest.empty()) return;
  const ConstBytes from = take_id();
  if (type != 0 && type != 2) return;
  if (type == 0) {
    const auto token = take_varint(rest);
    if (!token || *token > rest.size()) return;
    rest = rest.subspan(static_cast<std::size_t>(*token));
  }
  const auto length = take_varint(rest);
  if (!length || *length > rest.size()) return;
  const auto number_at = static_cast<std::size_t>(rest.data() - whole.data());
  datagram = rest.subspan(static_cast<std::size_t>(*length));
  if (server_ && original_.empty()) {
    original_.assign(to.begin(), to.end());
    side(Level::initial).tx = PacketKeys::initial(original_, true);
    side(Level::initial).rx = PacketKeys::initial(original_, false);
  }
  const Level level = type == 0 ? Level::initial : Level::handshake;
  const Side& at = side(level);
  if (!at.rx) return;
  const auto opened =
      at.rx->open(whole.first(number_at + static_cast<std::size_t>(*length)), number_at, at.largest.value_or(0) + 1);
  if (!opened) return;
  if (!std::exchange(destination_known_, true)) destination_.assign(from.begin(), from.end());
  receive_frames(level, *opened);
}

void Peer::receive_frames(Level level, const PacketKeys::Opened& opened) {
  Side& at = side(level);
  ++at.received_count;
  at.largest = std::max(at.largest.value_or(0), opened.number);
  ConstBytes rest = opened.frames;
  while (!rest.empty()) {
    const auto frame = take_frame(rest);
    if (!frame) return;
    const bool acknowledgement = frame->type == FrameType::ack || frame->type == FrameType::ack_ecn;
    if (frame->type == FrameType::padding || acknowledgement) continue;
    at.acknowledgement_due = true;
    if (level == Level::application) ++frames_seen_[frame->type];
    switch (frame->type) {
      case FrameType::crypto:
        receive_crypto(level, *frame);
        break;
      case FrameType::path_challenge:
        challenge_.assign(frame->data.begin(), frame->data.end());
        break;
      case FrameType::new_connection_id:
        connection_ids_.emplace_back(frame->data.begin(), frame->data.end());
        break;
      case FrameType::connection_close:
      case FrameType::application_close:
        close_code_ = frame->values.front();
        break;
      default:
        break;
    }
  }
}

void Peer::receive_crypto(Level level, const Frame& frame) {
  Side& at = side(level);
  at.crypto_in.try_emplace(frame.values[0], frame.data.begin(), frame.data.end());
  for (auto next = at.crypto_in.begin(); next != at.crypto_in.end() && next->first <= at.crypto_in_offset;
       next = at.crypto_in.erase(next)) {
    const std::uint64_t known = at.crypto_in_offset - next->first;
    if (known >= next->second.size()) continue;
    const ConstBytes fresh = ConstBytes(next->second).subspan(static_cast<std::size_t>(known));
    at.crypto_in_offset += fresh.size();
    if (gnutls_handshake_write(session_, gnutls_level(level), fresh.data(), fresh.size()) < 0) tls_failed_ = true;
  }
  run_tls();
}

void Peer::run_tls() {
  if (!complete_ && !tls_failed_) {
    const int error = gnutls_handshake(session_);
    if (error == 0) complete_ = true;
    if (error < 0 && gnutls_error_is_fatal(error) != 0) tls_failed_ = true;
    if (complete_ && server_ && sends_flights_) send(Level::application, Frames().frame(FrameType::handshake_done));
  }
  if (sends_flights_) send_flights();
}

void Peer::answer() {
  if (!acknowledges_) return;
  for (std::size_t i = 0; i < kLevels; ++i) {
    Side& at = sides_[i];
    const auto level = static_cast<Level>(i);
    if (!std::exchange(at.acknowledgement_due, false) || !at.tx) continue;
    send(level, Frames().ack(*at.largest, *at.largest));
  }
}

std::uint64_t Peer::frames_seen(std::uint64_t type) const {
  const auto found = frames_seen_.find(type);
  return found != frames_seen_.end() ? found->second : 0;
}

}  // namespace qmux::hostile
