// SPDX-License-Identifier: MIT
//
// The local service as one session of a client sees it: where it is, and how many attempts to connect to it may be under way at a
// time.
//
// - One look-up of its name serves all who ask, and its answer is valid for a while: a thousand visitors at once cost one
//   question to the system's resolver.
// - A service that does not answer holds no more than a bounded number of sockets that are still connecting; who comes after
//   waits.
//
// Owned by the session; one thread; outlives those who wait. A waiter is called from a timer or a look-up's end, never from
// inside a call that it makes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/call_guard.h"
#include "base/intrusive_queue.h"
#include "base/io/event_loop.h"
#include "base/result.h"
#include "base/time.h"
#include "base/timer_queue.h"

namespace qmux::tunnel {

class LocalService {
 public:
  using Addresses = std::vector<Address>;

  /// Who waits for addresses. Forgotten when destroyed.
  class AddressWaiter : public QueueLink<AddressWaiter> {
   public:
    /// Once for each wait_for_addresses().
    virtual void service_found(const Result<Addresses>& addresses) = 0;

   protected:
    ~AddressWaiter() = default;
  };
  /// Who waits to connect.
  class DialWaiter : public QueueLink<DialWaiter> {
   public:
    /// It holds one of the places now, until give_back_place().
    virtual void may_dial() = 0;

   protected:
    ~DialWaiter() = default;
  };

  LocalService(io::EventLoop& loop, const HostPort& address);
  LocalService(const LocalService&) = delete;
  LocalService& operator=(const LocalService&) = delete;

  [[nodiscard]] const HostPort& address() const noexcept { return address_; }

  /// Its addresses in the order to try, or why the last look-up failed; nullptr: not known at this time.
  [[nodiscard]] const Result<Addresses>* known() const noexcept;
  /// Looks the name up, unless a look-up is under way.
  void wait_for_addresses(AddressWaiter& waiter);

  /// True: it holds a place. False: it waits for one, in order.
  [[nodiscard]] bool take_place(DialWaiter& waiter);
  void give_back_place();
  [[nodiscard]] std::size_t places_taken() const noexcept { return places_taken_; }

 private:
  void looked_up(Result<Addresses> addresses);
  void grant_places();

  io::EventLoop& loop_;
  CallGuard guard_;
  const HostPort address_;
  Result<Addresses> addresses_;
  Time valid_until_ = Time::min();  ///< of addresses_
  std::unique_ptr<io::Resolution> resolution_;
  Queue<AddressWaiter> waiting_for_addresses_;
  Queue<DialWaiter> waiting_for_place_;
  std::size_t places_taken_ = 0;
  Timer places_free_;
};

}  // namespace qmux::tunnel
