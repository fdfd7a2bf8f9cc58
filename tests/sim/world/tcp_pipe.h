// SPDX-License-Identifier: MIT
//
// One direction of a TCP connection: a send buffer, segments of seeded sizes under way, a receive buffer. Sending stops when
// the receive buffer has no room; bytes leave the send buffer when they arrive. FIN and RST travel behind the data, except
// that a reset may overtake it.
//
// One thread. Owned by its TcpConnection, which is notified of changes from events alone, never from inside a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/time.h"
#include "base/timer_queue.h"
#include "sim/world/byte_queue.h"
#include "sim/world/link.h"
#include "sim/world/tcp_properties.h"

namespace qmux::sim {

class World;

class TcpPipe {
 public:
  class Events {
   public:
    virtual void pipe_readable(TcpPipe& pipe) = 0;
    virtual void pipe_writable(TcpPipe& pipe) = 0;
    virtual void pipe_reset(TcpPipe& pipe) = 0;
    /// Nothing gets through at the moment.
    [[nodiscard]] virtual bool pipe_blocked(const TcpPipe& pipe) const = 0;

   protected:
    ~Events() = default;
  };

  TcpPipe(World& world, std::string name, const TcpProperties& properties, Link& link, Events& events);

  // The writing end.
  std::size_t write(ConstBytes bytes);
  void finish();
  /// Drops what was not sent and sends RST.
  void reset();
  /// Nothing more will be sent, without notice: the reader is gone or has reset.
  void abandon_sending();
  [[nodiscard]] bool finished() const noexcept { return fin_queued_; }
  [[nodiscard]] std::size_t unacknowledged_bytes() const noexcept { return unsent_.size() + in_flight_bytes_; }
  [[nodiscard]] std::size_t room() const noexcept;
  /// Enough room that a poller is notified, as kernels do it: a third of the buffer.
  [[nodiscard]] bool writable() const noexcept { return room() * 3 >= properties_.send_buffer_bytes; }

  // The reading end.
  std::size_t read(MutableBytes into);
  [[nodiscard]] bool at_end() const noexcept { return fin_received_ && received_.empty(); }
  [[nodiscard]] bool readable() const noexcept { return fin_received_ || !received_.empty(); }
  [[nodiscard]] std::size_t received_bytes() const noexcept { return received_.size(); }
  /// Drops what was received, and whatever still arrives.
  void abandon_reading();

  /// Nothing is under way or waiting to be sent.
  [[nodiscard]] bool idle() const noexcept {
    return in_flight_.empty() && unsent_.empty() && (!fin_queued_ || fin_sent_);
  }

 private:
  enum class Kind : std::uint8_t { data, fin, rst };
  struct Segment {
    Time arrives;
    Kind kind;
    std::vector<std::byte> bytes;
  };

  void pump();
  void launch(Kind kind, std::vector<std::byte> bytes);
  void deliver_due();
  void deliver(Segment&& segment);

  World& world_;
  std::string name_;
  const TcpProperties properties_;
  Link& link_;
  Events& events_;
  SeededRandom random_;

  ByteQueue unsent_;
  std::deque<Segment> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  ByteQueue received_;
  bool fin_queued_ = false;
  bool fin_sent_ = false;
  bool fin_received_ = false;
  bool reset_sent_ = false;
  bool reader_gone_ = false;
  Time line_free_{};
  Timer arrival_;
};

}  // namespace qmux::sim
