// SPDX-License-Identifier: MIT
#include "sim/world/tcp_connection.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/limits.h"
#include "sim/world/host.h"
#include "sim/world/network.h"
#include "sim/world/tcp_listener.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

constexpr Duration kSynInterval = std::chrono::seconds(1);

/// Ends that are TcpHandles now. A handle knows its socket by a number alone, as the kernel's descriptors are.
struct Detached {
  std::map<int, TcpConnection::EndId> ends;
  int next = 0;
};
Detached& detached() {
  thread_local Detached table;
  return table;
}

void close_detached(int id) noexcept {
  const auto found = detached().ends.find(id);
  if (found == detached().ends.end()) return;
  const auto [connection, side] = found->second;
  detached().ends.erase(found);
  connection->abort(side);
  connection->close(side);
}

Site& site_towards(Host& from, Host& to) {
  return from.nat() != nullptr && from.nat() != to.nat() ? from.site() : from;
}

}  // namespace

TcpConnection::TcpConnection(World& world, std::uint64_t id, const TcpProperties& properties, Host& client,
                             const Address& remote)
    : world_(world),
      id_(id),
      properties_(properties),
      client_(client),
      server_(world.network().route(client, remote)),
      address_{client.address(remote.family(), client.ephemeral_port()), remote},
      connect_deadline_(world.now() + properties.connect_timeout),
      // Without a route the links carry nothing; any will do.
      up_link_(world.network().link(server_ ? site_towards(client, *server_) : client,
                                    server_ ? site_towards(*server_, client) : client)),
      down_link_(world.network().link(server_ ? site_towards(*server_, client) : client,
                                      server_ ? site_towards(client, *server_) : client)),
      up_(world, fmt::format("{} {}", id, up_link_.name()), properties_, up_link_, *this),
      down_(world, fmt::format("{} {}", id, down_link_.name()), properties_, down_link_, *this),
      handshake_(world.events(), [this] { std::exchange(handshake_step_, nullptr)(); }) {
  end(TcpSide::client).open = true;
  world_.record("tcp {} connect {} -> {}", id_, address_[0], remote);
  if (server_ == nullptr) {
    handshake_step_ = [this] { fail_connect("no route to host"); };
    handshake_.set(world_.now());
  } else {
    send_syn();
  }
}

TcpConnection::~TcpConnection() {
  std::erase_if(detached().ends, [this](const auto& entry) { return entry.second.connection == this; });
}

void TcpConnection::send_syn() {
  handshake_step_ = [this] { syn_arrives(); };
  handshake_.set(world_.now() + up_link_.properties().delay);
}

void TcpConnection::syn_arrives() {
  const bool lost = !reachable();
  SimTcpListener* listener = lost ? nullptr : server_->listener_for(address_[1]);
  if (!lost && listener == nullptr) {
    handshake_step_ = [this] { fail_connect("connection refused"); };
    handshake_.set(world_.now() + down_link_.properties().delay);
    return;
  }
  if (lost || listener->backlog_size() >= std::min(properties_.backlog, server_->backlog())) {
    if (world_.now() + kSynInterval > connect_deadline_) return fail_connect("connection timed out");
    handshake_step_ = [this] { syn_arrives(); };
    handshake_.set(world_.now() + kSynInterval);
    return;
  }
  end(TcpSide::server).open = true;
  listener->enqueue(*this);
  handshake_step_ = [this] { connected(); };
  handshake_.set(world_.now() + down_link_.properties().delay);
}

void TcpConnection::fail_connect(std::string why) {
  world_.record("tcp {} {}", id_, why);
  state_ = State::failed;
  connect_error_ = std::move(why);
  if (end(TcpSide::client).observer != nullptr) end(TcpSide::client).observer->end_writable();
}

void TcpConnection::connected() {
  world_.record("tcp {} connected", id_);
  state_ = State::established;
  if (EndObserver* observer = end(TcpSide::client).observer) {
    observer->end_writable();
    if (down_.readable()) observer->end_readable();
    if (end(TcpSide::client).reset) observer->end_reset();
  }
}

bool TcpConnection::readable(TcpSide side) noexcept {
  if (side == TcpSide::client && state_ != State::established) return false;
  return incoming(side).readable() || end(side).reset;
}

bool TcpConnection::writable(TcpSide side) noexcept {
  if (side == TcpSide::client && state_ != State::established) return state_ == State::failed;
  return outgoing(side).writable() || end(side).reset;
}

io::IoResult TcpConnection::read(TcpSide side, MutableBytes into) {
  End& own = end(side);
  if (state_ == State::failed) return {io::IoStatus::reset};
  if (side == TcpSide::client && state_ == State::connecting) return {io::IoStatus::would_block};
  TcpPipe& pipe = incoming(side);
  if (const std::size_t count = pipe.read(into); count > 0) return {io::IoStatus::done, count};
  if (own.reset) return {io::IoStatus::reset};
  if (pipe.at_end() && !own.end_reported) {
    own.end_reported = true;
    return {io::IoStatus::end};
  }
  return {io::IoStatus::would_block};
}

io::IoResult TcpConnection::write(TcpSide side, ConstBytes bytes) {
  CHECK(!outgoing(side).finished());
  if (end(side).reset || state_ == State::failed) return {io::IoStatus::reset};
  if (side == TcpSide::client && state_ == State::connecting) return {io::IoStatus::would_block};
  const std::size_t count = outgoing(side).write(bytes);
  if (count == 0) return {io::IoStatus::would_block};
  return {io::IoStatus::done, count};
}

void TcpConnection::shutdown_write(TcpSide side) {
  if (!end(side).reset && state_ != State::failed) outgoing(side).finish();
}

void TcpConnection::abort(TcpSide side) {
  End& own = end(side);
  if (own.reset || state_ == State::failed) return;
  own.reset = true;
  incoming(side).abandon_reading();
  incoming(side).abandon_sending();
  const bool unanswered = side == TcpSide::client && !end(TcpSide::server).open && state_ == State::connecting;
  if (unanswered) {
    handshake_.cancel();
    state_ = State::failed;
  } else {
    outgoing(side).reset();
  }
}

void TcpConnection::close(TcpSide side) {
  End& own = end(side);
  CHECK(own.open);
  const bool orderly = own.end_reported && outgoing(side).finished();
  if (!orderly) abort(side);
  own.observer = nullptr;
  own.open = false;
  own.probe.reset();
  incoming(side).abandon_reading();
  drop_if_over();
}

void TcpConnection::keep_alive(TcpSide side, Duration idle) {
  End& own = end(side);
  own.probe_interval = idle;
  own.probe.emplace(world_.events(), [this, side] { probe(side); });
  own.probe->set(world_.now() + idle);
}

void TcpConnection::probe(TcpSide side) {
  End& own = end(side);
  if (!own.open || own.reset) return;
  own.unanswered_probes = reachable() ? 0 : own.unanswered_probes + 1;
  // The first of these stands for the silence before the first probe.
  if (own.unanswered_probes < 1 + limits::kTcpProbesMax) {
    own.probe->set(world_.now() + own.probe_interval);
    return;
  }
  world_.record("tcp {} far end is gone", id_);
  own.reset = true;
  incoming(side).abandon_reading();
  outgoing(side).abandon_sending();
  if (own.observer != nullptr) own.observer->end_reset();
}

bool TcpConnection::reachable() const {
  return !up_link_.blocked() && !down_link_.blocked() && !client_.dark() && !server_->dark();
}

void TcpConnection::drop_if_over() {
  if (discarded_ || ends_[0].open || ends_[1].open) return;
  discarded_ = true;
  world_.record("tcp {} gone", id_);
  world_.network().discard(*this);
}

void TcpConnection::pipe_readable(TcpPipe& pipe) {
  End& reader = end(&pipe == &up_ ? TcpSide::server : TcpSide::client);
  if (&pipe == &down_ && state_ != State::established) return;  // connected() reports it
  if (reader.observer != nullptr) reader.observer->end_readable();
}

void TcpConnection::pipe_writable(TcpPipe& pipe) {
  End& writer = end(&pipe == &up_ ? TcpSide::client : TcpSide::server);
  if (writer.observer != nullptr) writer.observer->end_writable();
}

void TcpConnection::pipe_reset(TcpPipe& pipe) {
  End& reader = end(&pipe == &up_ ? TcpSide::server : TcpSide::client);
  TcpPipe& back = &pipe == &up_ ? down_ : up_;
  if (reader.reset) return;
  reader.reset = true;
  back.abandon_sending();
  if (&pipe == &down_ && state_ != State::established) return;  // connected() reports it
  if (reader.observer != nullptr) reader.observer->end_reset();
}

bool TcpConnection::pipe_blocked(const TcpPipe& pipe) const {
  return (&pipe == &up_ ? up_link_ : down_link_).blocked() || client_.dark() || server_->dark();
}

io::TcpHandle TcpConnection::to_handle(TcpSide side) {
  end(side).observer = nullptr;
  end(side).end_reported = false;  // by a kernel a FIN is reported to each read
  const int id = detached().next++;
  detached().ends.emplace(id, EndId{this, side});
  return {id, &close_detached};
}

TcpConnection::EndId TcpConnection::from_handle(io::TcpHandle handle) {
  const auto found = detached().ends.find(handle.release());
  CHECK(found != detached().ends.end());
  const EndId end = found->second;
  detached().ends.erase(found);
  return end;
}

}  // namespace qmux::sim
