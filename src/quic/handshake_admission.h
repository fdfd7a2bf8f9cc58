// SPDX-License-Identifier: MIT
//
// Which client may begin a handshake now, and which one waits. A handshake takes memory and the time of the thread that carries
// the tunnels, and any host can ask for one. So both have a bound, within which sources take turns:
//
// - room: what a process has for clients that have not registered (HandshakeLoad). A source may have as many as are left for
//   others, so that one alone gets half. Where none is left, a source that has none gets that of the source with the most.
// - time: the part of a worker's that handshakes may take, as measured.
//
// An Initial that cannot begin now waits, with those of its source; sources have their turn one after another. Clients that are
// known (Standing) have room, time and turns of their own.
//
// While strangers crowd, handshakes that are not continued end before their time, so that their memory goes back soon.
//
// One a worker, for all its endpoints, which it outlives; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/counter.h"
#include "base/given_or_own.h"
#include "base/io/datagram_socket.h"
#include "base/io/event_loop.h"
#include "base/time.h"
#include "base/timer_queue.h"
#include "quic/handshake_load.h"
#include "quic/limits.h"

namespace qmux::quic {

class Connection;
class HandshakeAdmission;

/// RAII token: counts one unproven connection against its bound until destroyed.
class HandshakePermit {
 public:
  HandshakePermit() = default;
  HandshakePermit(HandshakePermit&& other) noexcept { swap(other); }
  HandshakePermit& operator=(HandshakePermit other) noexcept {
    swap(other);
    return *this;
  }
  ~HandshakePermit();

  [[nodiscard]] bool valid() const noexcept { return admission_ != nullptr; }
  /// The connection that holds it, to be closed should another source need the place.
  void attach(Connection& connection);
  /// What has been done for the connection took this long.
  void charge(Duration work) noexcept;
  /// Gives the permit back: the client has registered.
  void proven() noexcept;

 private:
  friend class HandshakeAdmission;
  HandshakePermit(HandshakeAdmission& admission, const Address& source, Standing standing) noexcept
      : admission_(&admission), source_(source), standing_(standing) {}
  void swap(HandshakePermit& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(connection_, other.connection_);
    std::swap(source_, other.source_);
    std::swap(standing_, other.standing_);
  }

  HandshakeAdmission* admission_ = nullptr;
  Connection* connection_ = nullptr;
  Address source_;
  Standing standing_ = Standing::unknown;
};

/// How often something happened since the worker began.
struct AdmissionCounters {
  Counter waiting_full;     ///< Initials dropped: too many wait, or too many of that source
  Counter waited_too_long;  ///< Initials dropped: no turn within limits::kInitialWaitTimeMax
  Counter evicted;          ///< handshakes ended to make room for other sources
  Counter silent;           ///< handshakes ended since nothing came for limits::kSilentHandshakeTimeMax
};

class HandshakeAdmission {
 public:
  /// An endpoint.
  class Events {
   public:
    /// The turn of an Initial has come that waited. `run` is one datagram; it may call anything but serve().
    virtual void initial_turn(const io::PacketRun& run) = 0;

   protected:
    ~Events() = default;
  };

  /// `workers`: of the process, which share what may wait.
  /// `counters` outlive it; nullptr: it counts for itself.
  HandshakeAdmission(io::EventLoop& loop, HandshakeLoad& load, std::size_t workers,
                     AdmissionCounters* counters = nullptr);
  HandshakeAdmission(const HandshakeAdmission&) = delete;
  HandshakeAdmission& operator=(const HandshakeAdmission&) = delete;

  /// Whether a client at that address may begin right now.
  [[nodiscard]] bool may_begin(const Address& remote, Standing standing);
  /// Whether a client must first prove its address.
  [[nodiscard]] bool retry_wanted() const noexcept { return load_.retry_wanted(loop_.now()); }
  /// It has begun.
  [[nodiscard]] HandshakePermit begun(const Address& remote, Standing standing);
  /// Keeps the Initial, of one datagram, until its turn comes, or drops it.
  void wait(Events& receiver, const io::PacketRun& run, Standing standing);
  /// The receiver is about to go.
  void forget(const Events& receiver);
  /// Gives those their turn that may begin, and looks whether strangers crowd. At the end of each pass.
  void serve();

  [[nodiscard]] std::size_t waiting_count() const noexcept;
  [[nodiscard]] const AdmissionCounters& counters() const noexcept { return *counters_; }

 private:
  friend class HandshakePermit;

  struct Initial {
    Events* receiver;
    Address local;
    Address remote;
    std::vector<std::byte> bytes;
    io::Ecn ecn;
    Time since;
  };
  struct Source {
    std::size_t unproven = 0;
    std::deque<Connection*> connections;  ///< of these, the oldest first
    std::deque<Initial> waiting;
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Address& source) const noexcept { return source.hash(seed); }
  };
  /// Those of one Standing.
  struct Line {
    Line(double share, std::uint64_t seed, Time now) : time_share(share), refilled(now), sources(0, Hash{seed}) {}
    double time_share;
    Duration time_left = limits::kHandshakeBurst;  ///< below zero: more was taken
    Time refilled;
    /// Those that have unproven connections or wait, by Address::holder().
    std::unordered_map<Address, Source, Hash> sources;
    std::deque<Address> turns;  ///< of the sources that wait
    std::size_t waiting = 0;
  };

  Line& line(Standing standing) noexcept { return lines_[static_cast<std::size_t>(standing)]; }
  [[nodiscard]] bool has_time(Line& line) noexcept;
  void charge(Standing standing, Duration work) noexcept;
  void release(const HandshakePermit& permit, bool proven) noexcept;
  void serve(Standing standing);
  /// Drops what has waited too long at the head of a source's.
  void expire(Line& line, Source& source);
  static void forget_idle(Line& line, const Address& source);
  /// Ends a handshake of the source that has the most, if that has more than one; the place is free after this pass.
  void evict(Line& line);
  /// Ends handshakes that have been silent for too long, if strangers have crowded meanwhile.
  void end_silent();
  /// Memory has become free: it goes back to the system soon.
  void trim_later();

  io::EventLoop& loop_;
  HandshakeLoad& load_;
  GivenOrOwn<AdmissionCounters> counters_;
  const std::size_t waiting_initials_max_;  ///< of each line
  std::array<Line, kStandings> lines_;
  std::size_t ended_ = 0;  ///< since memory was last given back
  Time crowded_{};         ///< when strangers last crowded
  Time trim_latest_{};     ///< while trim_ is set
  Timer retry_;
  Timer silence_;
  Timer trim_;
};

}  // namespace qmux::quic
