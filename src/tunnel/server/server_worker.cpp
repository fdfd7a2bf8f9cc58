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
                           quic::HandshakeLoad& handshakes, MemoryLimit& stuck_tunnels, UdpParcels& parcels,
                           Workers& workers, std::move_only_function<void()> stopped)
    : state_(loop, worker_index.count, stuck_tunnels, options.tcp_keep_alive),
      mailbox_(limits::kMailboxMessagesMax),
      strays_(limits::kStrayRunsMax),
      admission_(loop, handshakes, worker_index.count, &state_.counters.handshakes),
      kept_(limits::kVisitorPrefixesBytesMax / worker_index.count, state_.counters.visitors_not_kept),
      stopped_(std::move(stopped)),
      workers_(workers),
      parcels_(parcels),
      options_(options),
      worker_index_(worker_index) {
  loop.set_pass_events(this);
  loop.set_wake_handler([this] { woken(); });
}

ServerWorker::~ServerWorker() {
  state_.loop.set_pass_events(nullptr);
  state_.loop.set_wake_handler({});
  state_.retired.clear();
}

ServerListener& ServerWorker::add(SharedListener& shared) {
  return *listeners_.emplace_back(
      std::make_unique<ServerListener>(state_, worker_index_, shared, admission_, kept_, workers_));
}

void ServerWorker::remove(std::size_t index) {
  std::erase_if(listeners_, [index](const auto& each) { return each->index() == index; });
}

ServerListener* ServerWorker::find(std::size_t index) noexcept {
  const auto found = std::ranges::lower_bound(listeners_, index, {}, [](const auto& each) { return each->index(); });
  return found != listeners_.end() && (*found)->index() == index ? found->get() : nullptr;
}

void ServerWorker::renew() { state_.tcp_keep_alive = options_.tcp_keep_alive; }

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
  if (stop_wanted_.load(std::memory_order_acquire)) {
    for (const auto& listener : listeners_) listener->drain(options_.drain_timeout);
  }
  mailbox_.take(taken_);
  state_.counters.mailbox_full.set(mailbox_.overflows());
  for (WorkerMessage& message : taken_) handle(std::move(message));
  taken_.clear();
  strays_.take(strays_taken_);
  state_.counters.strays_full.set(strays_.overflows());
  for (const StrayPackets& packets : strays_taken_) {
    if (ServerListener* const listener = find(packets.listener)) listener->packets_arrived(packets);
  }
  strays_taken_.clear();
}

/// What is for a listener that has ended is dropped.
void ServerWorker::handle(WorkerMessage message) {
  std::visit(
      [this]<typename Message>(Message& each) {
        if constexpr (std::is_same_v<Message, AssignedVisitor>) {
          if (ServerListener* const listener = find(each.visitor.listener))
            return listener->visitor_arrived(std::move(each));
          ++state_.counters.visitors_stopping;
        } else {
          ServerListener* const listener = find(each.listener);
          if constexpr (std::is_same_v<Message, MemberReplaced>) {
            if (listener != nullptr) listener->member_replaced(each.member);
          } else if constexpr (std::is_same_v<Message, ClientRegistered>) {
            if (listener != nullptr) listener->client_registered(each);
          } else {
            handle_udp(listener != nullptr ? listener->udp() : nullptr, each);
          }
        }
      },
      message);
}

template <typename Message>
void ServerWorker::handle_udp(UdpListener* listener, Message& message) {
  if constexpr (std::is_same_v<Message, UdpPackets>) {
    if (listener == nullptr) return parcels_.give_back(std::move(message.parcel));
    listener->packets_arrived(std::move(message.parcel));
  } else if (listener == nullptr) {
    return;
  } else if constexpr (std::is_same_v<Message, UdpVisitorAssigned>) {
    listener->visitor_arrived(std::move(message.assigned));
  } else if constexpr (std::is_same_v<Message, UdpVisitorEvicted>) {
    listener->visitor_evicted(message.member, message.visitor, message.route);
  } else {
    listener->session_events(message.events);
  }
}

void ServerWorker::end_of_pass(Time now) {
  end_pass(state_,
           listeners_ | std::views::transform([](const auto& each) -> quic::Endpoint& { return each->endpoint(); }),
           now);
  for (const auto& listener : listeners_) {
    if (UdpListener* const udp = listener->udp()) udp->finish_pass();
  }
  if (!stop_wanted_.load(std::memory_order_acquire)) {
    std::erase_if(listeners_, [](const auto& each) { return each->has_ended(); });
    return;
  }
  if (std::ranges::all_of(listeners_, [](const auto& each) { return each->is_stopping(); })) {
    mailbox_.close();
    strays_.close();
  }
  if (std::ranges::all_of(listeners_, [](const auto& each) { return each->has_ended(); })) finish_stop();
}

void ServerWorker::finish_stop() {
  if (stopped_) std::exchange(stopped_, nullptr)();
}

}  // namespace qmux::tunnel
