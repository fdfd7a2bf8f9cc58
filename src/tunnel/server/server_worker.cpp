// SPDX-License-Identifier: MIT
#include "tunnel/server/server_worker.h"

#include <algorithm>
#include <ranges>
#include <utility>
#include <variant>

#include "tunnel/limits.h"
#include "tunnel/worker/end_pass.h"

namespace qmux::tunnel {

ServerWorker::ServerWorker(io::EventLoop& loop, quic::WorkerIndex worker_index, const ServerOptions& options,
                           quic::HandshakeLoad& handshakes, MemoryLimit& stuck_tunnels,
                           const VisitorAdmission& visitors, std::span<const ListenerSetup> setups, Workers& workers,
                           std::move_only_function<void()> stopped)
    : state_(loop, worker_index.count, stuck_tunnels, options.tcp_keep_alive),
      mailbox_(limits::kMailboxMessagesMax),
      strays_(limits::kStrayRunsMax),
      admission_(loop, handshakes, worker_index.count, &state_.counters.handshakes),
      kept_(limits::kVisitorPrefixesBytesMax / worker_index.count, state_.counters.visitors_not_kept),
      stopped_(std::move(stopped)),
      workers_(workers),
      visitors_(visitors),
      drain_timeout_(options.drain_timeout),
      drain_look_(loop.timers(), [this] { look_for_end(); }),
      stop_deadline_(loop.timers(), [this] { finish_stop(); }) {
  for (const ListenerSetup& setup : setups) {
    listeners_.push_back(std::make_unique<ServerListener>(state_, worker_index, setup, admission_, kept_, workers));
  }
  loop.set_pass_events(this);
  loop.set_wake_handler([this] { woken(); });
}

ServerWorker::~ServerWorker() {
  state_.loop.set_pass_events(nullptr);
  state_.loop.set_wake_handler({});
  state_.retired.clear();
}

bool ServerWorker::post(WorkerMessage& message) {
  const auto posted = mailbox_.post(std::move(message));
  if (posted == Mailbox<WorkerMessage>::Posted::refused) return false;
  if (posted == Mailbox<WorkerMessage>::Posted::queued_first) state_.loop.wake();
  return true;
}

void ServerWorker::hand_over(StrayPackets packets) {
  if (strays_.post(std::move(packets)) == Mailbox<StrayPackets>::Posted::queued_first) state_.loop.wake();
}

void ServerWorker::stop() noexcept {
  stop_wanted_.store(true, std::memory_order_release);
  state_.loop.wake();
}

void ServerWorker::woken() {
  if (stop_wanted_.load(std::memory_order_acquire) && drain_end_ == kNever) begin_drain();
  mailbox_.take(taken_);
  state_.counters.mailbox_full.set(mailbox_.overflows());
  for (WorkerMessage& message : taken_) handle(std::move(message));
  taken_.clear();
  strays_.take(strays_taken_);
  state_.counters.strays_full.set(strays_.overflows());
  for (const StrayPackets& packets : strays_taken_) listeners_[packets.listener]->packets_arrived(packets);
  strays_taken_.clear();
}

void ServerWorker::handle(WorkerMessage message) {
  std::visit(
      [this]<typename Message>(Message& each) {
        if constexpr (std::is_same_v<Message, AssignedVisitor>) {
          listeners_[each.visitor.listener]->visitor_arrived(std::move(each));
        } else if constexpr (std::is_same_v<Message, MemberReplaced>) {
          listeners_[each.listener]->member_replaced(each.member);
        } else if constexpr (std::is_same_v<Message, ClientRegistered>) {
          listeners_[each.listener]->client_registered(each);
        } else {
          handle_udp(*listeners_[each.listener]->udp(), each);
        }
      },
      message);
}

template <typename Message>
void ServerWorker::handle_udp(UdpListener& listener, Message& message) {
  if constexpr (std::is_same_v<Message, UdpPackets>) {
    listener.packets_arrived(std::move(message.parcel));
  } else if constexpr (std::is_same_v<Message, UdpVisitorAssigned>) {
    listener.visitor_arrived(std::move(message.assigned));
  } else if constexpr (std::is_same_v<Message, UdpVisitorEvicted>) {
    listener.visitor_evicted(message.member, message.visitor, message.route);
  } else {
    listener.session_events(message.events);
  }
}

void ServerWorker::end_of_pass(Time now) {
  end_pass(state_,
           listeners_ | std::views::transform([](const auto& each) -> quic::Endpoint& { return each->endpoint(); }),
           now);
  for (const auto& listener : listeners_) {
    if (UdpListener* const udp = listener->udp()) udp->finish_pass();
  }
  if (stopping_ &&
      std::ranges::all_of(listeners_, [](const auto& each) { return each->endpoint().connection_count() == 0; })) {
    finish_stop();
  }
}

void ServerWorker::begin_drain() {
  drain_end_ = state_.loop.now() + drain_timeout_;
  for (const auto& listener : listeners_) listener->drain();
  workers_.drain_begun();
  look_for_end();
}

void ServerWorker::look_for_end() {
  const Time now = state_.loop.now();
  // A visitor may need several workers one after another, so none stops while there are visitors anywhere.
  const bool drained = workers_.all_drain() && visitors_.visitor_count() == 0 &&
                       std::ranges::all_of(listeners_, [](const auto& each) { return each->is_drained(); });
  if (drained || now >= drain_end_) return begin_stop();
  drain_look_.set(std::min(now + limits::kDrainLookInterval, drain_end_));
}

void ServerWorker::begin_stop() {
  drain_look_.cancel();
  stopping_ = true;
  mailbox_.close();
  strays_.close();
  for (const auto& listener : listeners_) listener->stop();
  stop_deadline_.set(state_.loop.now() + limits::kStopTimeMax);
}

void ServerWorker::finish_stop() {
  stop_deadline_.cancel();
  if (stopped_) std::exchange(stopped_, nullptr)();
}

}  // namespace qmux::tunnel
