// SPDX-License-Identifier: MIT
//
// A visitor offered to a client (docs/PROTOCOL.md, section 6). What the visitor sends goes to the client at once, and a copy is
// kept. Until the tunnel's relay takes over, the visitor can be taken back with all that it has sent, and offered to another
// client.
//
// From a client that acknowledges (capability conn-ack):
//   0x00                                      relay, unless the visitor has sent nothing; with Handover::eager not before the
//                                             first byte of an answer
//   RESET_STREAM dial failed or going away    taken back
//   anything else                             relay, which awaits the acknowledgement where it has not come
//
// From a Go client, which does not:
//   ConnClose "dial failed", then FIN         taken back
//   anything else                             relay
//   nothing for its longest dial              as after 0x00
//
// A relay also takes over when the visitor is reset, when there is no memory to keep more, and for a Go client when the copy is
// full or a visitor's FIN has to be passed on.
//
// Owned by a tunnel. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/call_guard.h"
#include "base/counter.h"
#include "base/io/event_loop.h"
#include "base/io/tcp_socket.h"
#include "quic/stream.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

class GoClientRules;

/// What the visitors on one worker have kept. Owned by the worker.
class KeptBytes {
 public:
  /// `refused` counts what found no room.
  KeptBytes(std::size_t bytes_max, Counter& refused) noexcept : bytes_max_(bytes_max), refused_(refused) {}
  /// False: there is no room for them.
  [[nodiscard]] bool add(std::size_t bytes) noexcept {
    if (bytes > bytes_max_ - bytes_) {
      ++refused_;
      return false;
    }
    bytes_ += bytes;
    return true;
  }
  void remove(std::size_t bytes) noexcept { bytes_ -= bytes; }

 private:
  const std::size_t bytes_max_;
  Counter& refused_;
  std::size_t bytes_ = 0;
};

/// What a listener's visitors are offered by. Outlives the offers.
struct OfferRules {
  Handover handover = Handover::safe;
  Duration wait_for_client{};  ///< of a visitor that has been taken back
  KeptBytes* kept = nullptr;
};

/// Never called inside a call that the owner makes to the offer. Nothing follows offer_decided() or offer_refused().
class OfferEvents {
 public:
  /// The client has reached its local service. The offer goes on, and must not be destroyed from here.
  virtual void offer_acknowledged() = 0;
  /// A relay is to take over what release() gives.
  virtual void offer_decided() = 0;
  /// The client cannot serve the visitor. No byte of it has reached a local service.
  virtual void offer_refused(quic::ErrorCode why) = 0;

 protected:
  ~OfferEvents() = default;
};

class Offer final : private io::TcpSocketEvents, private quic::StreamEvents {
 public:
  /// What the offer gives up when it ends.
  struct Parts {
    std::unique_ptr<io::TcpSocket> socket;
    quic::Stream* stream;
    std::uint64_t bytes_sent;  ///< of the visitor, committed to the stream
    bool acknowledged;         ///< the client has reached its local service
    bool visitor_ended;        ///< the visitor's FIN was read and passed on
  };

  /// `stream` has NewConn and all of `prefix`, which the visitor has sent so far and KeptBytes has room for. What it sends is
  /// added to both. The offer removes it from KeptBytes.
  Offer(const OfferRules& rules, std::unique_ptr<io::TcpSocket> socket, quic::Stream& stream,
        std::vector<std::byte>& prefix, OfferEvents& events);
  /// It is a Go client's, with NewConn's `conn_id`.
  void expect_go_client(io::EventLoop& loop, std::uint64_t conn_id);
  Offer(const Offer&) = delete;
  Offer& operator=(const Offer&) = delete;
  ~Offer();

  /// Whether another client may have the visitor although this one has not refused it. Valid until closed() of the connection
  /// returns.
  [[nodiscard]] bool may_be_taken_back() const noexcept;
  /// Of a Go client: so much time has passed that it has reached its service. A relay may be to take over.
  void assume_acknowledged();
  /// Ends the offer.
  [[nodiscard]] Parts release();

 private:
  // io::TcpSocketEvents
  void socket_readable() override;
  void socket_writable() override;
  void socket_reset() override;
  // quic::StreamEvents
  void stream_readable(quic::Stream& stream) override;
  void stream_writable(quic::Stream& stream) override;
  void stream_send_done(quic::Stream& stream) override;

  /// False: the offer has ended.
  [[nodiscard]] bool keep(ConstBytes bytes);
  void not_acknowledged();
  void go_client_answered();
  void visitor_ended();
  void held_fin_due();
  /// The copy is of no use any more.
  [[nodiscard]] bool is_settled() const noexcept;
  /// The client has sent bytes, FIN or a reset that were not taken yet.
  [[nodiscard]] bool has_something() const noexcept;
  void watch();
  void decide();
  void refuse(quic::ErrorCode why);

  const OfferRules& rules_;
  OfferEvents& events_;
  CallGuard guard_;
  std::unique_ptr<io::TcpSocket> socket_;
  quic::Stream* stream_;
  std::vector<std::byte>& prefix_;
  std::uint64_t bytes_sent_;
  std::size_t counted_bytes_;                 ///< of the prefix, in KeptBytes
  std::unique_ptr<GoClientRules> go_client_;  ///< only for such a client
  bool acknowledged_ = false;
  bool visitor_ended_ = false;  ///< its FIN was read
  bool fin_passed_on_ = false;
};

}  // namespace qmux::tunnel
