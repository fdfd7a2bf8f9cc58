// SPDX-License-Identifier: MIT
#include "tunnel/udp/udp_channel.h"

namespace qmux::tunnel {

UdpChannel::UdpChannel(UdpContext& context, quic::Connection& connection, const UdpOptions& options,
                       bool fragment_sequence, UdpChannelEvents& events)
    : context_(context),
      connection_(connection),
      fragment_sequence_(fragment_sequence),
      events_(events),
      sender_(context, connection, options, fragment_sequence),
      reassembler_(fragment_sequence, context.reassembly),
      incomplete_(context.loop.timers(), [this] {
        reassembler_.expire(context_.loop.now());
        incomplete_.set(reassembler_.deadline());
      }) {
  connection_.set_datagram_host(this);
}

UdpChannel::~UdpChannel() { connection_.set_datagram_host(nullptr); }

void UdpChannel::datagram_received(ConstBytes data) {
  if (const auto payload = take(data)) events_.payload_received(payload->session, payload->bytes);
}

std::optional<ReceivedPayload> UdpChannel::take(ConstBytes data) {
  UdpCounters& counters = context_.counters;
  ++counters.datagrams_received;
  const auto datagram = wire::parse_datagram(data);
  // A sender with frag-seq escapes a payload that looks like a fragment and is none.
  if (!datagram || (datagram->unescaped && fragment_sequence_)) {
    counters.drop(UdpDrop::malformed);
    return std::nullopt;
  }
  if (!datagram->fragment) return ReceivedPayload{.session = datagram->session, .bytes = datagram->payload};
  const auto assembled = reassembler_.add(*datagram, context_.loop.now());
  if (!incomplete_.is_set()) incomplete_.set(reassembler_.deadline());
  if (!assembled) return std::nullopt;
  return ReceivedPayload{.session = assembled->session, .bytes = assembled->payload};
}

std::optional<quic::OutgoingDatagram> UdpChannel::next_datagram(std::size_t room, Time now) {
  return sender_.next_datagram(room, now);
}

}  // namespace qmux::tunnel
