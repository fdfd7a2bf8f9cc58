// SPDX-License-Identifier: MIT
#include "tunnel/udp/udp_sender.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

using wire::FragmentPlan;

// --- a flow ------------------------------------------------------------------------------------------------------------

UdpFlow::UdpFlow(UdpSender& sender, std::uint32_t session) noexcept
    : sender_(sender), session_(session), queue_(sender.context_.chunks, sender) {}

UdpFlow::~UdpFlow() {
  while (!queue_.empty()) drop_front(UdpDrop::session_gone);
  sender_.remove(*this);
}

void UdpFlow::push(ConstBytes payload) {
  UdpCounters& counters = sender_.context_.counters;
  if (payload.size() > sender_.options_.payload_bytes_max) return counters.drop(UdpDrop::too_large);
  // The oldest are dropped first: recent payloads are worth more to a UDP application.
  while (!queue_.empty() && queue_.held_bytes() + payload.size() > limits::kUdpFlowBytesMax) {
    drop_front(UdpDrop::queue_full);
  }
  sender_.make_room();
  // If all flows of the connection together hold too much, the flow that adds drops its own payloads.
  while (!queue_.empty() && !sender_.has_room()) drop_front(UdpDrop::queue_full);
  if (!sender_.has_room()) sender_.drop_down_to(sender_.bytes_max() - sender_.bytes_max() / 64);
  if (!sender_.has_room()) return counters.drop(UdpDrop::queue_full);
  queue_.push(payload, sender_.context_.loop.now());
  sender_.add(*this);
}

void UdpFlow::drop_front(UdpDrop why) {
  fragments_.reset();
  queue_.pop();
  sender_.context_.counters.drop(why);
}

// --- the rotation ------------------------------------------------------------------------------------------------------

UdpSender::UdpSender(UdpContext& context, quic::Connection& connection, const UdpOptions& options,
                     bool fragment_sequence)
    : PayloadAccount(context.waiting),
      context_(context),
      connection_(connection),
      options_(options),
      fragment_ids_(static_cast<std::uint16_t>(context.loop.random().next_u64()), fragment_sequence),
      stale_(context.loop.timers(), [this] { drop_stale(); }) {}

UdpSender::~UdpSender() { CHECK(waiting_count_ == 0); }

void UdpSender::add(UdpFlow& flow) {
  if (flow.waiting_) return;
  flow.waiting_ = true;
  flow.next_ = nullptr;
  flow.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &flow;
  last_ = &flow;
  ++waiting_count_;
  if (!stale_.is_set()) stale_.set(context_.loop.now() + limits::kUdpWaitTimeMax);
  connection_.datagrams_waiting();
}

void UdpSender::remove(UdpFlow& flow) noexcept {
  if (!flow.waiting_) return;
  flow.waiting_ = false;
  if (first_ == &flow) sent_in_turn_bytes_ = 0;
  (flow.previous_ != nullptr ? flow.previous_->next_ : first_) = flow.next_;
  (flow.next_ != nullptr ? flow.next_->previous_ : last_) = flow.previous_;
  --waiting_count_;
}

void UdpSender::rotate() noexcept {
  sent_in_turn_bytes_ = 0;
  if (first_ == last_) return;
  UdpFlow& flow = *first_;
  first_ = flow.next_;
  first_->previous_ = nullptr;
  flow.next_ = nullptr;
  flow.previous_ = last_;
  last_->next_ = &flow;
  last_ = &flow;
}

// --- what is dropped without its turn -----------------------------------------------------------------------------------

bool UdpSender::drop_one() {
  while (first_ != nullptr && first_->queue_.empty()) remove(*first_);
  if (first_ == nullptr) return false;
  first_->drop_front(UdpDrop::queue_full);
  // The next payload is another flow's.
  if (first_->queue_.empty()) {
    remove(*first_);
  } else {
    rotate();
  }
  return true;
}

void UdpSender::drop_down_to(std::size_t bytes) {
  while (held_bytes() > bytes && drop_one()) {
  }
}

void UdpSender::drop_stale() {
  const Time now = context_.loop.now();
  for (UdpFlow* flow = first_; flow != nullptr;) {
    UdpFlow& each = *std::exchange(flow, flow->next_);
    // A payload whose first fragments have been sent is not late yet.
    while (!each.queue_.empty() && !each.fragments_ && now - each.queue_.front().since > limits::kUdpWaitTimeMax) {
      each.drop_front(UdpDrop::stale);
    }
    if (each.queue_.empty()) remove(each);
  }
  if (first_ != nullptr) stale_.set(now + limits::kUdpStaleLookInterval);
}

// --- datagrams ---------------------------------------------------------------------------------------------------------

std::optional<quic::OutgoingDatagram> UdpSender::next_datagram(std::size_t room, Time now) {
  if (options_.datagram_bytes_max > 0) room = std::min(room, options_.datagram_bytes_max);
  while (first_ != nullptr) {
    if (first_->queue_.empty()) {
      remove(*first_);
    } else if (auto datagram = prepare(*first_, room, now)) {
      return datagram;
    }
  }
  return std::nullopt;
}

std::optional<quic::OutgoingDatagram> UdpSender::prepare(UdpFlow& flow, std::size_t room, Time now) {
  const PayloadQueue::Front front = flow.queue_.front();
  if (flow.fragments_) {
    const FragmentPlan::Slice fragment = flow.fragments_->plan.slice(flow.fragments_->next);
    if (fragment.size + wire::kFragmentHeaderBytes <= room) return prepare_fragment(flow, flow.fragments_->plan, now);
    flow.fragments_
        .reset();  // the path has shrunk: its sent fragments are useless, and it is sent again in smaller ones
  } else if (now - front.since > limits::kUdpWaitTimeMax) {
    flow.drop_front(UdpDrop::stale);
    return std::nullopt;
  }
  const FragmentPlan plan = FragmentPlan::make(front.bytes, room, front.escape);
  switch (plan.form()) {
    case FragmentPlan::Form::whole:
    case FragmentPlan::Form::escaped:
      return offer(flow, plan.header(flow.session(), wire::kEscapeFragmentId, 0), plan.slice(0));
    case FragmentPlan::Form::fragments:
      if (options_.fragmentation) return prepare_fragment(flow, plan, now);
      [[fallthrough]];
    case FragmentPlan::Form::impossible:
      flow.drop_front(room == 0 ? UdpDrop::no_datagrams : UdpDrop::too_large);
      return std::nullopt;
  }
  std::unreachable();
}

std::optional<quic::OutgoingDatagram> UdpSender::prepare_fragment(UdpFlow& flow, const FragmentPlan& plan, Time now) {
  if (!flow.fragments_) {
    const auto id = fragment_ids_.next(now);
    if (!id) {
      flow.drop_front(UdpDrop::no_fragment_id);
      return std::nullopt;
    }
    flow.fragments_ = UdpFlow::Fragments{.plan = plan, .id = *id, .next = 0};
  }
  const UdpFlow::Fragments& fragments = *flow.fragments_;
  return offer(flow, fragments.plan.header(flow.session(), fragments.id, fragments.next),
               fragments.plan.slice(fragments.next));
}

quic::OutgoingDatagram UdpSender::offer(const UdpFlow& flow, wire::DatagramHeader header,
                                        FragmentPlan::Slice fragment) {
  header_ = header;
  const std::size_t count = flow.queue_.view(fragment.offset, fragment.size, pieces_);
  offered_bytes_ = header_.bytes().size() + fragment.size;
  return {.header = header_.bytes(), .payload = std::span(pieces_).first(count)};
}

void UdpSender::datagram_sent() {
  UdpFlow& flow = *first_;
  UdpCounters& counters = context_.counters;
  ++counters.datagrams_sent;
  sent_in_turn_bytes_ += offered_bytes_;
  if (!flow.fragments_ || ++flow.fragments_->next == flow.fragments_->plan.datagrams()) {
    ++counters.payloads_sent;
    flow.fragments_.reset();
    flow.queue_.pop();
  }
  if (flow.queue_.empty()) {
    remove(flow);
  } else if (sent_in_turn_bytes_ >= limits::kUdpTurnBytes) {
    rotate();
  }
}

}  // namespace qmux::tunnel
