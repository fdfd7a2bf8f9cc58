// SPDX-License-Identifier: MIT
//
// Plays a TalkScript on one TCP connection, checks every byte that comes, and keeps the record.
//
// Owned by the crowd of visitors or a local service; one thread. `over` is called once, from the loop. The talker is
// destroyed later than that, or earlier, which resets the connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/io/event_loop.h"
#include "base/io/tcp_socket.h"
#include "base/timer_queue.h"
#include "sim/actors/content.h"
#include "sim/actors/talk.h"

namespace qmux::sim {

class World;

class Talker final : private io::TcpSocketEvents {
 public:
  struct Part {
    std::string name;  ///< for the trace
    TalkScript script;
    Content sends;  ///< with `script.echo`: the same as `expects`
    Content expects;
    std::string prologue{};          ///< sent first, outside of the content
    std::string awaited_prologue{};  ///< to be received first, before anything is sent
  };

  /// `socket` may still be connecting.
  Talker(World& world, io::EventLoop& loop, std::unique_ptr<io::TcpSocket> socket, bool connecting, Part part,
         TalkRecord& record, std::move_only_function<void()> over);
  ~Talker();

 private:
  void socket_readable() override;
  void socket_writable() override;
  void socket_reset() override;

  void begin();
  void read_some();
  /// False: nothing to read now, or over.
  bool read_once();
  void take_prologue(ConstBytes& bytes);
  void write_some();
  bool write_once();
  bool write_prologue();
  /// Watches for whatever is wanted and possible now.
  void advance();
  [[nodiscard]] std::uint64_t send_end() const noexcept;
  [[nodiscard]] bool may_send() const noexcept;
  [[nodiscard]] bool echo_is_full() const noexcept;
  bool reset_if_scripted();
  /// Its own reset: notes how much of what it has sent TCP has acknowledged.
  void note_reset();
  /// A reset came. It ends, unless there may be something to be read before it.
  void take_reset();
  bool close_when_acknowledged();
  void finish();
  void end(const char* how);

  World& world_;
  io::EventLoop& loop_;
  std::unique_ptr<io::TcpSocket> socket_;
  const Part part_;
  TalkRecord& record_;
  std::move_only_function<void()> over_;
  std::vector<std::byte> buffer_;
  std::size_t prologue_sent_ = 0;
  std::size_t prologue_received_ = 0;
  bool connecting_;
  bool thinking_ = true;
  bool stalled_ = false;
  bool stall_done_ = false;
  bool writing_watched_ = false;
  bool writing_lost_ = false;  ///< to a reset
  Timer read_timer_;
  Timer write_timer_;
};

}  // namespace qmux::sim
