// SPDX-License-Identifier: MIT
//
// Sends the payloads of a connection's UDP sessions in datagrams. There is a queue for each session, and sessions take turns.
// Each payload is cut to the path's datagram size at that moment. A payload that has waited too long is dropped, whether the
// connection sends or not.
//
// One a connection; one thread. Its flows are destroyed before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/timer_queue.h"
#include "quic/connection.h"
#include "quic/datagrams.h"
#include "tunnel/options.h"
#include "tunnel/udp/payload_queue.h"
#include "tunnel/udp/udp_context.h"
#include "wire/datagram.h"
#include "wire/fragment_ids.h"
#include "wire/fragment_plan.h"

namespace qmux::tunnel {

class UdpSender;

/// What one session has to send. Owned by the session.
class UdpFlow {
 public:
  UdpFlow(UdpSender& sender, std::uint32_t session) noexcept;
  UdpFlow(const UdpFlow&) = delete;
  UdpFlow& operator=(const UdpFlow&) = delete;
  ~UdpFlow();

  [[nodiscard]] std::uint32_t session() const noexcept { return session_; }
  /// Queues a copy of the payload. Older payloads are dropped if the flow has used up its room.
  void push(ConstBytes payload);

 private:
  friend class UdpSender;

  /// The progress of a payload that has been cut.
  struct Fragments {
    wire::FragmentPlan plan;
    std::uint16_t id;
    std::size_t next;
  };

  void drop_front(UdpDrop why);

  UdpSender& sender_;
  const std::uint32_t session_;
  PayloadQueue queue_;
  std::optional<Fragments> fragments_;  ///< of the front payload, once its first fragment has been sent
  bool waiting_ = false;                ///< in the sender's rotation
  UdpFlow* previous_ = nullptr;
  UdpFlow* next_ = nullptr;
};

class UdpSender final : public PayloadAccount {
 public:
  /// `fragment_sequence`: the peer distinguishes groups of fragments by session and age (capability frag-seq). `options` outlive
  /// it.
  UdpSender(UdpContext& context, quic::Connection& connection, const UdpOptions& options, bool fragment_sequence);
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;
  ~UdpSender();

  // As quic::DatagramHost has it.
  std::optional<quic::OutgoingDatagram> next_datagram(std::size_t room, Time now);
  void datagram_sent();
  [[nodiscard]] std::size_t flows_waiting() const noexcept { return waiting_count_; }

 private:
  friend class UdpFlow;

  void drop_down_to(std::size_t bytes) override;
  /// Drops the oldest payload of the flow whose turn it is. False: no flow waits.
  bool drop_one();
  void drop_stale();

  void add(UdpFlow& flow);
  void remove(UdpFlow& flow) noexcept;
  void rotate() noexcept;
  /// Prepares the flow's next datagram. Nothing: its first payload was dropped.
  std::optional<quic::OutgoingDatagram> prepare(UdpFlow& flow, std::size_t room, Time now);
  std::optional<quic::OutgoingDatagram> prepare_fragment(UdpFlow& flow, const wire::FragmentPlan& plan, Time now);
  quic::OutgoingDatagram offer(const UdpFlow& flow, wire::DatagramHeader header, wire::FragmentPlan::Slice fragment);

  UdpContext& context_;
  quic::Connection& connection_;
  const UdpOptions& options_;
  wire::FragmentIds fragment_ids_;
  UdpFlow* first_ = nullptr;  ///< whose turn it is
  UdpFlow* last_ = nullptr;
  std::size_t waiting_count_ = 0;
  std::size_t sent_in_turn_bytes_ = 0;
  Timer stale_;  ///< set while flows wait, because a connection that cannot send does not call next_datagram()

  // What was offered last.
  wire::DatagramHeader header_;
  std::array<ConstBytes, PayloadQueue::kPiecesMax> pieces_;
  std::size_t offered_bytes_ = 0;
};

}  // namespace qmux::tunnel
