// SPDX-License-Identifier: MIT
#include "sim/actors/talker.h"

#include <algorithm>

#include "sim/world/world.h"

namespace qmux::sim {

using io::Interest;
using io::IoStatus;

namespace {

constexpr Duration kAcknowledgementLookInterval = std::chrono::milliseconds(1);
/// What an echo holds back before it stops reading.
constexpr std::uint64_t kEchoHeldBytesMax = std::uint64_t{64} * 1024;

}  // namespace

Talker::Talker(World& world, io::EventLoop& loop, std::unique_ptr<io::TcpSocket> socket, bool connecting, Part part,
               TalkRecord& record, std::move_only_function<void()> over)
    : world_(world),
      loop_(loop),
      socket_(std::move(socket)),
      part_(std::move(part)),
      record_(record),
      over_(std::move(over)),
      buffer_(std::max(part_.script.read_bytes_max, part_.script.write_bytes_max)),
      connecting_(connecting),
      read_timer_(loop.timers(),
                  [this] {
                    stalled_ = false;
                    read_some();
                  }),
      write_timer_(loop.timers(), [this] {
        thinking_ = false;
        write_some();
      }) {
  record_.begun = true;
  record_.begun_at = world_.now();
  if (connecting_) {
    socket_->watch(Interest::write, this);
  } else {
    begin();
  }
}

Talker::~Talker() {
  if (record_.over) return;
  record_.sent_reset = record_.over = true;
  record_.over_at = world_.now();
}

void Talker::begin() {
  write_timer_.set(loop_.now() + part_.script.think);
  advance();
}

void Talker::advance() {
  if (!socket_) return;
  const bool read_paused = read_timer_.is_set() || stalled_ || record_.received_fin || echo_is_full();
  Interest interest = Interest::none;
  if (!read_paused) interest = interest | Interest::read;
  if (writing_watched_) interest = interest | Interest::write;
  socket_->watch(interest, this);
}

void Talker::socket_readable() { read_some(); }

void Talker::socket_writable() {
  writing_watched_ = false;
  if (connecting_) {
    connecting_ = false;
    if (auto error = socket_->connect_error()) {
      record_.connect_error = std::move(error);
      return end("could not connect");
    }
    return begin();
  }
  write_some();
}

void Talker::socket_reset() {
  take_reset();
  if (socket_) read_some();  // which comes to the reset after the last byte
}

void Talker::take_reset() {
  writing_lost_ = true;
  if (part_.script.read_after_reset && !record_.received_fin) return;
  record_.received_reset = true;
  end("was reset");
}

bool Talker::echo_is_full() const noexcept {
  return part_.script.echo && !writing_lost_ && record_.received_bytes - record_.sent_bytes >= kEchoHeldBytesMax;
}

void Talker::read_some() {
  if (!socket_ || read_timer_.is_set()) return;
  while (read_once()) {
  }
  if (!socket_) return;
  // What was read may be what is to be sent (echo), or what sending waited for.
  write_some();
}

bool Talker::read_once() {
  const TalkScript& script = part_.script;
  if (record_.received_fin || stalled_ || echo_is_full()) return false;
  const MutableBytes room(buffer_.data(), script.read_bytes_max);
  const io::IoResult result = socket_->read({&room, 1});
  switch (result.status) {
    case IoStatus::would_block:
      return false;
    case IoStatus::reset:
      record_.received_reset = true;
      end("was reset");
      return false;
    case IoStatus::end:
      record_.received_fin = true;
      world_.record("{} received FIN after {}", part_.name, record_.received_bytes);
      if (record_.sent_fin) end("is done");
      return false;
    case IoStatus::done:
      break;
  }
  ConstBytes bytes = room.first(result.count);
  take_prologue(bytes);
  if (!record_.wrong_at && !part_.expects.matches(record_.received_bytes, bytes))
    record_.wrong_at = record_.received_bytes;
  record_.received_bytes += bytes.size();
  if (!bytes.empty() && !record_.first_byte_at) record_.first_byte_at = world_.now();
  if (reset_if_scripted()) return false;
  if (script.stall_after_bytes && !stall_done_ && record_.received_bytes >= *script.stall_after_bytes) {
    stall_done_ = stalled_ = true;
    read_timer_.set(loop_.now() + script.stall);
    return false;
  }
  if (script.read_pause > Duration{}) {
    read_timer_.set(loop_.now() + script.read_pause);
    return false;
  }
  return true;
}

void Talker::take_prologue(ConstBytes& bytes) {
  const std::string_view missing = std::string_view(part_.awaited_prologue).substr(prologue_received_);
  const std::size_t count = std::min(missing.size(), bytes.size());
  if (as_text(bytes.first(count)) != missing.substr(0, count)) record_.wrong_at = 0;
  prologue_received_ += count;
  bytes = bytes.subspan(count);
}

std::uint64_t Talker::send_end() const noexcept {
  return part_.script.echo ? record_.received_bytes : part_.script.send_bytes;
}

bool Talker::may_send() const noexcept {
  const bool greeted = prologue_received_ == part_.awaited_prologue.size() || record_.received_fin;
  return socket_ && !connecting_ && !thinking_ && !record_.sent_fin && !writing_watched_ && !writing_lost_ &&
         !write_timer_.is_set() && greeted;
}

void Talker::write_some() {
  while (may_send() && write_once()) {
  }
  if (socket_) advance();
}

bool Talker::write_prologue() {
  const ConstBytes rest = as_bytes(part_.prologue).subspan(prologue_sent_);
  const io::IoResult result = socket_->write({&rest, 1});
  if (result.status == IoStatus::done) {
    prologue_sent_ += result.count;
    return true;
  }
  if (result.status == IoStatus::reset) {
    take_reset();
  } else {
    writing_watched_ = true;
  }
  return false;
}

bool Talker::write_once() {
  const TalkScript& script = part_.script;
  if (prologue_sent_ < part_.prologue.size()) return write_prologue();
  if (script.send_after_fin && !record_.received_fin) return false;
  const std::uint64_t left = send_end() - record_.sent_bytes;
  if (left == 0 && script.close_after_sending) return close_when_acknowledged();
  if (left == 0) {
    const bool more_may_come = (script.echo || script.finish_after_fin) && !record_.received_fin;
    if (!more_may_come) finish();
    return false;
  }
  const MutableBytes bytes(buffer_.data(), std::min<std::uint64_t>(left, script.write_bytes_max));
  part_.sends.fill(record_.sent_bytes, bytes);
  const ConstBytes offered = bytes;
  const io::IoResult result = socket_->write({&offered, 1});
  if (result.status == IoStatus::reset) {
    take_reset();
    return false;
  }
  record_.sent_bytes += result.count;
  if (result.count < bytes.size()) writing_watched_ = true;
  if (reset_if_scripted()) return false;
  if (script.write_pause > Duration{} && !writing_watched_) write_timer_.set(loop_.now() + script.write_pause);
  return true;
}

bool Talker::reset_if_scripted() {
  if (!part_.script.reset_after_bytes) return false;
  if (record_.sent_bytes + record_.received_bytes < *part_.script.reset_after_bytes) return false;
  note_reset();
  socket_->abort();
  end("resets");
  return true;
}

bool Talker::close_when_acknowledged() {
  if (socket_->unacknowledged_bytes() > 0) {
    write_timer_.set(loop_.now() + kAcknowledgementLookInterval);
    return false;
  }
  note_reset();
  end("closes early");
  return false;
}

void Talker::note_reset() {
  record_.sent_reset = true;
  // The prologue went first.
  const std::uint64_t waiting = std::min<std::uint64_t>(socket_->unacknowledged_bytes(), record_.sent_bytes);
  record_.acknowledged_bytes = record_.sent_bytes - waiting;
}

void Talker::finish() {
  socket_->shutdown_write();
  record_.sent_fin = true;
  world_.record("{} sends FIN after {}", part_.name, record_.sent_bytes);
  if (record_.received_fin) end("is done");
}

void Talker::end(const char* how) {
  world_.record("{} {}: sent {}, received {}", part_.name, how, record_.sent_bytes, record_.received_bytes);
  record_.over = true;
  record_.over_at = world_.now();
  read_timer_.cancel();
  write_timer_.cancel();
  socket_.reset();
  over_();
}

}  // namespace qmux::sim
