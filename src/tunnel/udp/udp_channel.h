// SPDX-License-Identifier: MIT
//
// The UDP side of a connection: payloads to datagrams (UdpSender) and datagrams to payloads.
//
// Owned by the user of its sessions; one thread. Destroyed before the connection.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/timer_queue.h"
#include "quic/connection.h"
#include "quic/datagrams.h"
#include "tunnel/options.h"
#include "tunnel/udp/udp_context.h"
#include "tunnel/udp/udp_sender.h"
#include "wire/reassembler.h"

namespace qmux::tunnel {

/// A whole payload of one session; it lies in the datagram or in the worker's assembly buffer.
struct ReceivedPayload {
  std::uint32_t session;
  ConstBytes bytes;
};

/// Never called from inside a call that the receiver makes to the channel.
class UdpChannelEvents {
 public:
  /// A whole payload has arrived for that session. Called while the connection is processing a packet: take the bytes and make no
  /// call to the connection.
  virtual void payload_received(std::uint32_t session, ConstBytes payload) = 0;

 protected:
  ~UdpChannelEvents() = default;
};

class UdpChannel final : private quic::DatagramHost {
 public:
  /// `fragment_sequence`: both ends follow the rules of the capability frag-seq. `options` outlive it.
  UdpChannel(UdpContext& context, quic::Connection& connection, const UdpOptions& options, bool fragment_sequence,
             UdpChannelEvents& events);
  UdpChannel(const UdpChannel&) = delete;
  UdpChannel& operator=(const UdpChannel&) = delete;
  ~UdpChannel();

  [[nodiscard]] UdpSender& sender() noexcept { return sender_; }
  /// A datagram that arrived before this channel existed; the payload that it is or completes.
  [[nodiscard]] std::optional<ReceivedPayload> receive_early(ConstBytes data) { return take(data); }
  /// A session has ended: drops its incomplete payloads.
  void forget_session(std::uint32_t session) noexcept { reassembler_.forget_session(session); }

 private:
  // quic::DatagramHost
  void datagram_received(ConstBytes data) override;
  std::optional<quic::OutgoingDatagram> next_datagram(std::size_t room, Time now) override;
  void datagram_sent() override { sender_.datagram_sent(); }
  [[nodiscard]] std::size_t flows_waiting() const override { return sender_.flows_waiting(); }

  std::optional<ReceivedPayload> take(ConstBytes data);

  UdpContext& context_;
  quic::Connection& connection_;
  const bool fragment_sequence_;
  UdpChannelEvents& events_;
  UdpSender sender_;
  wire::Reassembler reassembler_;
  Timer incomplete_;  ///< for incomplete payloads
};

}  // namespace qmux::tunnel
