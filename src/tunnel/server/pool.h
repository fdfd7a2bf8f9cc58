// SPDX-License-Identifier: MIT
//
// The clients that can serve a listener's visitors, and the selection of one.
//
// Shared by the workers: every call may come from any worker and takes a short lock. A member is one connection of a client and
// belongs to the worker that holds this connection. A visitor assigned to a member and a tunnel with it hold an Assignment, so
// that a choice made on one worker counts at once on the others.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

/// Names a connection that is or was in the pool; never used twice.
using MemberId = std::uint64_t;

/// Reported to the sessions of members with the same name: a client that has joined.
struct ClientRegistered {
  std::size_t listener = 0;
  MemberId member = 0;
  std::string client_id;
  std::string instance;
};

/// A client that wants to join, with the values of its Register (docs/PROTOCOL.md).
struct Applicant {
  std::string client_id;
  std::string instance;  ///< empty: a program that does not name its processes; replaces no member
  std::uint32_t slot = 0;
  std::uint64_t epoch = 0;
  std::size_t worker = 0;
  bool udp = false;  ///< carries UDP as well
};

class Pool {
 public:
  /// RAII token: counts one visitor against a member until destroyed. Movable between threads. The pool outlives it.
  class Assignment {
   public:
    Assignment() noexcept = default;
    [[nodiscard]] bool valid() const noexcept { return pool_ != nullptr; }
    [[nodiscard]] MemberId member() const noexcept { return pool_.get_deleter().member; }
    [[nodiscard]] std::size_t worker() const noexcept { return pool_.get_deleter().worker; }

   private:
    friend class Pool;
    struct GiveBack {
      void operator()(Pool* pool) const noexcept { pool->give_back(member, is_probe); }
      MemberId member;
      std::size_t worker;
      bool is_probe;
    };
    Assignment(Pool& pool, MemberId member, std::size_t worker, bool is_probe) noexcept
        : pool_(&pool, GiveBack{.member = member, .worker = worker, .is_probe = is_probe}) {}

    std::unique_ptr<Pool, GiveBack> pool_;
  };

  /// The connection that a newcomer replaced. Its worker closes it.
  struct Replaced {
    MemberId member;
    std::size_t worker;
  };
  struct Admission {
    MemberId member;
    std::optional<Replaced> replaced;
    /// Workers that hold members with this client_id from another process, each worker once. Most often the newcomer is the same
    /// client, restarted, and those members are dead. They keep their state until they have been probed.
    std::vector<std::size_t> namesake_workers;
    bool has_namesake = false;  ///< one of these takes visitors
  };

  /// The protocol that a visitor needs.
  enum class Need : std::uint8_t { tcp, udp };
  static constexpr std::size_t kNeeds = 2;

  explicit Pool(Balance balance) noexcept : balance_(balance) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// For the choices from now on.
  void set_balance(Balance balance);

  /// Adds the applicant. It replaces the member with the same client, instance and slot, unless that drains. Nothing: that member
  /// has the same or a higher epoch, so the applicant is the older one.
  [[nodiscard]] std::optional<Admission> join(Applicant applicant);
  /// No-op for a member that was replaced.
  void leave(MemberId member);

  /// The member shows no sign of life; it shows one. False: it is no member any more.
  void suspect(MemberId member);
  bool heard_from(MemberId member);
  /// The member accepts no new tunnels.
  void drain(MemberId member);
  /// Whether a stream to the member can be opened at once, as far as is known. Such members are preferred.
  void set_stream_credit(MemberId member, bool available);

  /// The member's process did not reach its local service by TCP. For a period, which grows with every such period in a row
  /// (limits::kDialPenaltyTimeMin, kDialPenaltyTimeMax), other members are preferred for visitors by TCP. Then it gets one
  /// visitor, and more once a dial has succeeded. Returns the length of the period. Nothing for a dial that began before the
  /// current period.
  std::optional<Duration> dial_failed(MemberId member, Time now);
  /// The member's process reached its local service. True: this has ended a period of dial_failed().
  bool dial_succeeded(MemberId member);

  /// Assigns a visitor to the best member that is not among `tried`. Invalid when there is none. Equally good members take turns,
  /// separately for each protocol.
  [[nodiscard]] Assignment choose(std::span<const MemberId> tried, Time now, Need need = Need::tcp);

  /// Whether a member takes visitors that is not among these.
  [[nodiscard]] bool has_other_than(std::span<const MemberId> members) const;
  /// Whether a member other than this one shows signs of life and takes visitors.
  [[nodiscard]] bool has_ready_besides(MemberId member) const;
  [[nodiscard]] std::size_t size() const;
  /// Assignments to the present members.
  [[nodiscard]] std::size_t assignments() const;
  /// It has no members, and no assignment is left of those that it had.
  [[nodiscard]] bool is_unused() const;

 private:
  enum class State : std::uint8_t {
    ready,
    suspect,   ///< chosen only when no member is ready
    draining,  ///< not chosen
  };
  /// The failed dials of a process; each of its members has a copy.
  struct FailedDials {
    unsigned periods = 0;  ///< in a row; 0: none failed since one succeeded
    Time period_end{};
    Time next_probe{};  ///< from then on one visitor may be assigned as a probe
  };
  struct Member {
    MemberId id;
    Applicant client;
    State state = State::ready;
    bool has_credit = true;
    std::size_t assignments = 0;
    FailedDials failed_dials{};
    std::array<std::uint64_t, kNeeds> last_choice{};  ///< by Need; 0: never
  };

  void give_back(MemberId member, bool was_probe) noexcept;
  /// Members stand in the order of their ids. nullptr: not here.
  [[nodiscard]] Member* find(MemberId member) noexcept;
  void share(const Member& with, FailedDials failed_dials) noexcept;
  [[nodiscard]] bool better(const Member& candidate, const Member& best, Time now, Need need) const noexcept;

  mutable std::mutex mutex_;
  Balance balance_;
  std::vector<Member> members_;
  std::size_t assignments_ = 0;  ///< not given back yet
  MemberId last_id_ = 0;
  std::uint64_t choices_ = 0;
};

}  // namespace qmux::tunnel
