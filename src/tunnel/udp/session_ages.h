// SPDX-License-Identifier: MIT
//
// UDP sessions in the order in which they give way to new ones. Those that were answered and those that were not (yet) have
// half of the room each: the kind that has more of it gives way, the least recently used first. An answer shows that somebody
// is there: packets from addresses that nobody holds get none from most services, so that a flood of them ends no
// conversation (netfilter keeps its "assured" connections in a similar way). And where all are answered, a new one has the
// time to be answered too.
//
// A list of values with stable places. One thread.
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

  /// Makes a session that has not been answered; it was used now.
  template <typename... Arguments>
  Place add(Time now, Arguments&&... arguments) {
    const Place place = unanswered_.emplace(unanswered_.end(), std::forward<Arguments>(arguments)...);
    place->last_used = now;
    return place;
  }
  void used(Place session, Time now) noexcept { touch(session, now, session->answered); }
  /// True: it was the first time.
  bool answered(Place session, Time now) noexcept {
    const bool first = !session->answered;
    touch(session, now, true);
    return first;
  }
  /// The session to end when there is room for no more. Of a list that is not empty.
  [[nodiscard]] Place next_to_evict() noexcept {
    return unanswered_.size() > answered_.size() ? unanswered_.begin() : answered_.begin();
  }
  /// The session whose last use is the longest ago. Of a list that is not empty.
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
