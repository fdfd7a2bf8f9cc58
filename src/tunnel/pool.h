// SPDX-License-Identifier: MIT
//
// The clients that can serve a listener's visitors, and the choice among them.
//
// The one structure that workers share: every call may come from any worker and takes a short lock. A member is one
// connection of a client; the member belongs to the worker that holds this connection. Visitors on their way to a member
// and tunnels with it hold a Seat, so that a choice made on one worker is seen by the next one at once.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace qmux::tunnel {

enum class Balance : std::uint8_t { least_connections, round_robin };

/// Names a connection that is or was in the pool; never used twice.
using MemberId = std::uint64_t;

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
        : pool_(std::exchange(other.pool_, nullptr)), member_(other.member_), worker_(other.worker_) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(member_, other.member_);
      std::swap(worker_, other.worker_);
      return *this;
    }
    ~Seat() {
      if (pool_ != nullptr) pool_->give_back(member_);
    }
    [[nodiscard]] bool valid() const noexcept { return pool_ != nullptr; }
    [[nodiscard]] MemberId member() const noexcept { return member_; }
    [[nodiscard]] std::size_t worker() const noexcept { return worker_; }

   private:
    friend class Pool;
    Seat(Pool& pool, MemberId member, std::size_t worker) noexcept : pool_(&pool), member_(member), worker_(worker) {}

    Pool* pool_ = nullptr;
    MemberId member_ = 0;
    std::size_t worker_ = 0;
  };

  /// The connection whose place a newcomer took: to be closed by its worker.
  struct Replaced {
    MemberId member;
    std::size_t worker;
  };
  struct Admission {
    MemberId member;
    std::optional<Replaced> replaced;
    bool has_namesake = false;  ///< a member of another process has the same client_id and takes visitors
  };

  /// What a visitor needs of a client.
  enum class Need : std::uint8_t { tcp, udp };

  explicit Pool(Balance balance) noexcept : balance_(balance) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Takes the place of the member with the same client, instance and slot. Nothing: that one has the same epoch or a
  /// higher one, so the applicant is the older. Other members of the same client become suspect until they are heard from:
  /// most often the newcomer is the same client, started again, and they are dead.
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

  /// A seat with the best member that is not among `tried`; an invalid one when there is none.
  [[nodiscard]] Seat choose(std::span<const MemberId> tried, Need need = Need::tcp);

  [[nodiscard]] std::size_t size() const;
  /// Seats taken at present with the members present.
  [[nodiscard]] std::size_t seats() const;

 private:
  enum class State : std::uint8_t {
    ready,
    suspect,   ///< chosen only when nobody is ready
    draining,  ///< not chosen
  };
  struct Member {
    MemberId id;
    Applicant client;
    State state = State::ready;
    bool has_credit = true;
    std::size_t seats = 0;
  };

  void give_back(MemberId member) noexcept;
  /// Members stand in the order of their ids. nullptr: not here.
  [[nodiscard]] Member* find(MemberId member) noexcept;
  [[nodiscard]] bool better(const Member& candidate, const Member& best) const noexcept;

  mutable std::mutex mutex_;
  const Balance balance_;
  std::vector<Member> members_;
  MemberId last_id_ = 0;
  MemberId last_chosen_ = 0;
};

}  // namespace qmux::tunnel
