// SPDX-License-Identifier: MIT
//
// The clients that can serve a listener's visitors, and the choice among them.
//
// The one structure that workers share: every call may come from any worker and takes a short lock. A member is one
// connection of a client; the member belongs to the worker that holds this connection. Visitors on their way to a member
// and tunnels with it hold a Seat, so that a choice made on one worker is seen by the next one at once.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

/// Names a connection that is or was in the pool; never used twice.
using MemberId = std::uint64_t;

/// A client that has joined, for the sessions of members with the same name.
struct ClientRegistered {
  std::size_t listener = 0;
  MemberId member = 0;
  std::string client_id;
  std::string instance;
};

/// Who wants to join, as his Register says (docs/PROTOCOL.md).
struct Applicant {
  std::string client_id;
  std::string instance;  ///< empty: a program that does not name its processes; replaces nobody
  std::uint32_t slot = 0;
  std::uint64_t epoch = 0;
  std::size_t worker = 0;
  bool udp = false;  ///< carries UDP as well
};

class Pool {
 public:
  /// A visitor's place with a member, given back when it goes. Movable between threads. Not beyond the pool's life.
  class Seat {
   public:
    Seat() noexcept = default;
    Seat(Seat&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          member_(other.member_),
          worker_(other.worker_),
          is_probe_(other.is_probe_) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(member_, other.member_);
      std::swap(worker_, other.worker_);
      std::swap(is_probe_, other.is_probe_);
      return *this;
    }
    ~Seat() {
      if (pool_ != nullptr) pool_->give_back(member_, is_probe_);
    }
    [[nodiscard]] bool valid() const noexcept { return pool_ != nullptr; }
    [[nodiscard]] MemberId member() const noexcept { return member_; }
    [[nodiscard]] std::size_t worker() const noexcept { return worker_; }

   private:
    friend class Pool;
    Seat(Pool& pool, MemberId member, std::size_t worker, bool is_probe) noexcept
        : pool_(&pool), member_(member), worker_(worker), is_probe_(is_probe) {}

    Pool* pool_ = nullptr;
    MemberId member_ = 0;
    std::size_t worker_ = 0;
    bool is_probe_ = false;
  };

  /// The connection whose place a newcomer took: to be closed by its worker.
  struct Replaced {
    MemberId member;
    std::size_t worker;
  };
  struct Admission {
    MemberId member;
    std::optional<Replaced> replaced;
    /// Workers that hold members with this client_id of another process, each worker once: most often the newcomer is the same
    /// client, started again, and those are dead. They stay what they are until they have been asked.
    std::vector<std::size_t> namesake_workers;
    bool has_namesake = false;  ///< one of these takes visitors
  };

  /// What a visitor needs of a client.
  enum class Need : std::uint8_t { tcp, udp };
  static constexpr std::size_t kNeeds = 2;

  explicit Pool(Balance balance) noexcept : balance_(balance) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Takes the place of the member with the same client, instance and slot. Nothing: that one has the same epoch or a
  /// higher one, so the applicant is the older.
  [[nodiscard]] std::optional<Admission> join(Applicant applicant);
  /// No-op for a member that was replaced.
  void leave(MemberId member);

  /// Signs of trouble; of life. False: it is no member any more.
  void suspect(MemberId member);
  bool heard_from(MemberId member);
  /// It wants no new tunnels.
  void drain(MemberId member);
  /// Whether the member can open a stream at once, as far as is known: who can is chosen before who cannot.
  void set_stream_credit(MemberId member, bool available);

  /// The member's process did not reach its local service by TCP. For a while, which grows with every such period in a row
  /// (limits::kDialPenaltyMin, kDialPenaltyMax), visitors by TCP go to others where there are any; then it gets one visitor, and
  /// more once a dial has succeeded. Returns how long; nothing for a dial that began before such a period, which lasts.
  std::optional<Duration> dial_failed(MemberId member, Time now);
  /// It reached it. True: this has ended what dial_failed() began.
  bool dial_succeeded(MemberId member);

  /// A seat with the best member that is not among `tried`; an invalid one when there is none. Members that are equally good
  /// take turns, the visitors of each protocol by themselves.
  [[nodiscard]] Seat choose(std::span<const MemberId> tried, Time now, Need need = Need::tcp);

  [[nodiscard]] std::size_t size() const;
  /// Seats taken at present with the members present.
  [[nodiscard]] std::size_t seats() const;

 private:
  enum class State : std::uint8_t {
    ready,
    suspect,   ///< chosen only when nobody is ready
    draining,  ///< not chosen
  };
  /// Of a process, known to each of its members.
  struct FailedDials {
    unsigned periods = 0;  ///< in a row; 0: none failed since one succeeded
    Time period_end{};
    Time next_probe{};  ///< from then on a visitor may be sent all the same
  };
  struct Member {
    MemberId id;
    Applicant client;
    State state = State::ready;
    bool has_credit = true;
    std::size_t seats = 0;
    FailedDials failed_dials{};
    std::array<std::uint64_t, kNeeds> last_choice{};  ///< by Need; 0: never
  };

  void give_back(MemberId member, bool was_probe) noexcept;
  /// Members stand in the order of their ids. nullptr: not here.
  [[nodiscard]] Member* find(MemberId member) noexcept;
  void share(const Member& with, FailedDials failed_dials) noexcept;
  [[nodiscard]] bool better(const Member& candidate, const Member& best, Time now, Need need) const noexcept;

  mutable std::mutex mutex_;
  const Balance balance_;
  std::vector<Member> members_;
  MemberId last_id_ = 0;
  std::uint64_t choices_ = 0;
};

}  // namespace qmux::tunnel
