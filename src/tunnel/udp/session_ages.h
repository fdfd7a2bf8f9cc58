// SPDX-License-Identifier: MIT
//
// UDP sessions in the order in which they are evicted for new ones. Answered and unanswered sessions get half of the room each:
// the kind that has more is evicted, the least recently used first.
//
// An answer shows that the visitor exists: most services send none to packets from forged addresses. So a flood of such packets
// evicts no answered session (netfilter treats its "assured" connections in a similar way). And when all sessions are answered, a
// new one still has the time to be answered.
//
// A list of values at stable addresses. One thread.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <utility>

#include "base/time.h"

namespace qmux::tunnel {

/// `Session` has `bool answered` and `Time last_used`.
template <typename Session>
class SessionAges {
 public:
  using Place = typename std::list<Session>::iterator;

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return unanswered_.size() + answered_.size(); }

  /// Adds an unanswered session, used now.
  template <typename... Arguments>
  Place add(Time now, Arguments&&... arguments) {
    const Place place = unanswered_.emplace(unanswered_.end(), std::forward<Arguments>(arguments)...);
    place->last_used = now;
    return place;
  }
  void used(Place session, Time now) noexcept { touch(session, now, session->answered); }
  /// True: it was the first answer.
  bool answered(Place session, Time now) noexcept {
    const bool first = !session->answered;
    touch(session, now, true);
    return first;
  }
  /// The session to evict when there is no room. The list must not be empty.
  [[nodiscard]] Place next_to_evict() noexcept {
    return unanswered_.size() > answered_.size() ? unanswered_.begin() : answered_.begin();
  }
  /// The least recently used session. The list must not be empty.
  [[nodiscard]] Place oldest() noexcept {
    if (answered_.empty()) return unanswered_.begin();
    if (unanswered_.empty()) return answered_.begin();
    return unanswered_.front().last_used <= answered_.front().last_used ? unanswered_.begin() : answered_.begin();
  }
  void erase(Place session) { list(session->answered).erase(session); }

  template <typename Each>
  void for_each(Each each) {
    for (Session& session : unanswered_) each(session);
    for (Session& session : answered_) each(session);
  }

 private:
  [[nodiscard]] std::list<Session>& list(bool answered) noexcept { return answered ? answered_ : unanswered_; }
  void touch(Place session, Time now, bool answered) noexcept {
    session->last_used = now;
    std::list<Session>& from = list(session->answered);
    std::list<Session>& to = list(answered);
    session->answered = answered;
    if (&from != &to || std::next(session) != to.end()) to.splice(to.end(), from, session);
  }

  std::list<Session> unanswered_;
  std::list<Session> answered_;
};

}  // namespace qmux::tunnel
