// SPDX-License-Identifier: MIT
//
// The local service for one session of a client: its addresses, and the limit of concurrent attempts to connect to it.
//
// - One look-up of its name serves all waiters, and the answer is valid for some time. So a thousand visitors at once cost one
//   query of the system's resolver.
// - A service that does not answer occupies no more than a bounded number of connecting sockets. Further attempts wait.
//
// Owned by the session; one thread; outlives its waiters. A waiter is called from a timer or the end of a look-up, never inside a
// call that it makes.
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

  /// Waits for addresses. Removed when destroyed.
  class AddressWaiter : public QueueLink<AddressWaiter> {
   public:
    /// Once for each wait_for_addresses().
    virtual void service_found(const Result<Addresses>& addresses) = 0;

   protected:
    ~AddressWaiter() = default;
  };
  /// Waits to connect.
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
  /// Connects from now on there. Those that wait for addresses get those of the new one.
  void set_address(const HostPort& address);

  /// Its addresses in the order to try, or why the last look-up failed. nullptr: not known now.
  [[nodiscard]] const Result<Addresses>* known() const noexcept;
  /// Looks the name up, unless a look-up is in progress.
  void wait_for_addresses(AddressWaiter& waiter);

  /// True: it holds a place. False: it waits for one, in order.
  [[nodiscard]] bool take_place(DialWaiter& waiter);
  void give_back_place();
  [[nodiscard]] std::size_t places_taken() const noexcept { return places_taken_; }

 private:
  /// An IP address needs no look-up.
  void take_literal();
  void look_up();
  void looked_up(Result<Addresses> addresses);
  void grant_places();

  io::EventLoop& loop_;
  CallGuard guard_;
  HostPort address_;
  Result<Addresses> addresses_;
  Time valid_until_ = Time::min();  ///< of addresses_
  std::unique_ptr<io::Resolution> resolution_;
  Queue<AddressWaiter> waiting_for_addresses_;
  Queue<DialWaiter> waiting_for_place_;
  std::size_t places_taken_ = 0;
  Timer places_free_;
};

}  // namespace qmux::tunnel
