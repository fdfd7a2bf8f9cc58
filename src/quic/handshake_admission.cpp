// SPDX-License-Identifier: MIT
#include "quic/handshake_admission.h"

#include <malloc.h>

#include <algorithm>

#include "base/check.h"
#include "quic/connection.h"

namespace qmux::quic {

HandshakePermit::~HandshakePermit() {
  if (admission_ != nullptr) admission_->release(*this, false);
}

void HandshakePermit::attach(Connection& connection) {
  connection_ = &connection;
  admission_->line(standing_).sources.at(source_).connections.push_back(&connection);
}

void HandshakePermit::charge(Duration work) noexcept { admission_->charge(standing_, work); }

void HandshakePermit::proven() noexcept { std::exchange(admission_, nullptr)->release(*this, true); }

HandshakeAdmission::HandshakeAdmission(io::EventLoop& loop, HandshakeLoad& load, std::size_t workers,
                                       AdmissionCounters* counters)
    : loop_(loop),
      load_(load),
      counters_(counters),
      waiting_initials_max_(std::max(limits::kInitialsWaitingMax / workers, limits::kInitialsWaitingOfWorkerMin)),
      lines_{Line(limits::kUnknownHandshakeTimeShare, loop.random().next_u64(), loop.now()),
             Line(limits::kKnownHandshakeTimeShare, loop.random().next_u64(), loop.now())},
      retry_(loop.timers(), [] {}),  // a pass is what it takes
      silence_(loop.timers(), [this] { end_silent(); }),
      trim_(loop.timers(), [this] {
        ended_ = 0;
        malloc_trim(0);
      }) {}

std::size_t HandshakeAdmission::waiting_count() const noexcept { return lines_[0].waiting + lines_[1].waiting; }

bool HandshakeAdmission::has_time(Line& line) noexcept {
  const Time now = loop_.now();
  const auto gained = std::chrono::duration<double, std::nano>(now - line.refilled) * line.time_share;
  line.refilled = now;
  line.time_left = gained < limits::kHandshakeBurst - line.time_left
                       ? line.time_left + std::chrono::duration_cast<Duration>(gained)
                       : limits::kHandshakeBurst;
  return line.time_left > Duration::zero();
}

bool HandshakeAdmission::may_begin(const Address& remote, Standing standing) {
  Line& its = line(standing);
  if (!its.turns.empty() || !has_time(its)) return false;
  const auto found = its.sources.find(remote.holder());
  return (found == its.sources.end() ? 0 : found->second.unproven) < load_.room(standing);
}

HandshakePermit HandshakeAdmission::begun(const Address& remote, Standing standing) {
  const Address source = remote.holder();
  ++line(standing).sources[source].unproven;
  load_.begun(standing, loop_.now());
  charge(standing, limits::kHandshakeCostTimeMin);
  return {*this, source, standing};
}

void HandshakeAdmission::charge(Standing standing, Duration work) noexcept {
  line(standing).time_left -= std::min<Duration>(work, limits::kHandshakeCostTimeMax);
}

void HandshakeAdmission::release(const HandshakePermit& permit, bool proven) noexcept {
  if (proven) {
    load_.proven(permit.standing_);
  } else {
    load_.ended(permit.standing_);
  }
  Line& its = line(permit.standing_);
  const auto found = its.sources.find(permit.source_);
  CHECK(found != its.sources.end() && found->second.unproven > 0);
  --found->second.unproven;
  if (permit.connection_ != nullptr) std::erase(found->second.connections, permit.connection_);
  forget_idle(its, permit.source_);
  trim_later();
}

void HandshakeAdmission::trim_later() {
  if (++ended_ < limits::kTrimHandshakesMin) return;
  const Time now = loop_.now();
  if (!trim_.is_set()) trim_latest_ = now + limits::kTrimDelayTimeMax;
  trim_.set(std::min<Time>(now + limits::kTrimQuiet, trim_latest_));
}

void HandshakeAdmission::forget_idle(Line& line, const Address& source) {
  const auto found = line.sources.find(source);
  if (found != line.sources.end() && found->second.unproven == 0 && found->second.waiting.empty()) {
    line.sources.erase(found);
  }
}

void HandshakeAdmission::wait(Events& receiver, const io::PacketRun& run, Standing standing) {
  Line& its = line(standing);
  const Address key = run.remote.holder();
  const auto found = its.sources.find(key);
  // As with connections: as many as are left for others.
  if ((found == its.sources.end() ? 0 : found->second.waiting.size()) >= waiting_initials_max_ - its.waiting) {
    ++counters_->waiting_full;
    return;
  }
  Source& source = found == its.sources.end() ? its.sources[key] : found->second;
  if (source.waiting.empty()) its.turns.push_back(key);
  source.waiting.push_back({.receiver = &receiver,
                            .local = run.local,
                            .remote = run.remote,
                            .bytes = {run.bytes.begin(), run.bytes.end()},
                            .ecn = run.ecn,
                            .since = loop_.now()});
  ++its.waiting;
  if (!retry_.is_set()) retry_.set(loop_.now() + limits::kInitialRetryInterval);
}

void HandshakeAdmission::forget(const Events& receiver) {
  for (Line& its : lines_) {
    std::erase_if(its.turns, [&](const Address& key) {
      Source& source = its.sources.at(key);
      its.waiting -= std::erase_if(source.waiting, [&](const Initial& each) { return each.receiver == &receiver; });
      if (!source.waiting.empty()) return false;
      if (source.unproven == 0) its.sources.erase(key);
      return true;
    });
  }
}

void HandshakeAdmission::expire(Line& line, Source& source) {
  while (!source.waiting.empty() && source.waiting.front().since + limits::kInitialWaitTimeMax <= loop_.now()) {
    source.waiting.pop_front();
    --line.waiting;
    ++counters_->waited_too_long;
    trim_later();
  }
}

void HandshakeAdmission::serve() {
  if (load_.retry_wanted(loop_.now())) {
    crowded_ = loop_.now();
    if (!silence_.is_set()) silence_.set(crowded_ + limits::kSilenceLookInterval);
  }
  serve(Standing::known);
  serve(Standing::unknown);
  if (waiting_count() > 0 && !retry_.is_set()) retry_.set(loop_.now() + limits::kInitialRetryInterval);
}

void HandshakeAdmission::evict(Line& line) {
  const auto most =
      std::ranges::max_element(line.sources, {}, [](const auto& each) { return each.second.connections.size(); });
  if (most == line.sources.end() || most->second.connections.size() < 2) return;
  ++counters_->evicted;
  // It goes with its permit at the end of this pass, and is not chosen again until then.
  Connection* const oldest = most->second.connections.front();
  most->second.connections.pop_front();
  oldest->close(ErrorCode::limit_reached, "too many handshakes of this address");
}

void HandshakeAdmission::end_silent() {
  const Time now = loop_.now();
  bool more = false;
  const auto is_over = [&](Connection* connection) {
    // One that is established has shown its certificate: its registration has a time limit of its own.
    if (connection->is_established() || connection->last_datagram() > crowded_) return false;
    if (connection->last_datagram() + limits::kSilentHandshakeTimeMax > now) {
      more = true;
      return false;
    }
    ++counters_->silent;
    // Nothing is sent to an address that may be forged, and nothing remains that would keep pages of memory from going back.
    connection->abandon(limits::kSilentHandshakeTimeMax);
    return true;
  };
  // Each goes with its permit at the end of this pass.
  for (Line& line : lines_) {
    for (auto& [address, source] : line.sources) std::erase_if(source.connections, is_over);
  }
  if (more) silence_.set(now + limits::kSilenceLookInterval);
}

void HandshakeAdmission::serve(Standing standing) {
  Line& its = line(standing);
  bool evicted = false;
  // Ends when each source that waits has as many connections as it may.
  for (std::size_t passed_over = 0; passed_over < its.turns.size();) {
    const Address key = its.turns.front();
    its.turns.pop_front();
    Source& source = its.sources.at(key);
    expire(its, source);
    if (source.waiting.empty()) {
      forget_idle(its, key);
      continue;
    }
    if (!has_time(its)) {
      its.turns.push_front(key);
      return;
    }
    if (source.unproven >= load_.room(standing)) {
      if (source.unproven == 0 && !std::exchange(evicted, true)) evict(its);
      its.turns.push_back(key);
      ++passed_over;
      continue;
    }
    passed_over = 0;
    const Initial initial = std::move(source.waiting.front());
    source.waiting.pop_front();
    --its.waiting;
    if (source.waiting.empty()) {
      forget_idle(its, key);
    } else {
      its.turns.push_back(key);
    }
    initial.receiver->initial_turn({.local = initial.local,
                                    .remote = initial.remote,
                                    .bytes = initial.bytes,
                                    .segment_bytes = initial.bytes.size(),
                                    .ecn = initial.ecn});
  }
}

}  // namespace qmux::quic
