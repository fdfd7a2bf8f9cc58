// SPDX-License-Identifier: MIT
#include "base/line_writer.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace qmux {

LineWriter& LineWriter::start(int fd, std::size_t bytes_max, DroppedLine dropped_line) {
  auto* const writer = new LineWriter(fd, bytes_max, std::move(dropped_line));
  try {
    std::thread([writer] { writer->run(); }).detach();
    writer->threaded_ = true;
  } catch (const std::system_error&) {
    writer->threaded_ = false;  // a late line is better than none
  }
  return *writer;
}

LineWriter::LineWriter(int fd, std::size_t bytes_max, DroppedLine dropped_line)
    : fd_(fd), bytes_max_(bytes_max), dropped_line_(std::move(dropped_line)) {}

void LineWriter::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (!threaded_) return write_out(std::string(line));
  if (waiting_.size() + line.size() > bytes_max_) {
    ++dropped_;
    return;
  }
  if (dropped_ > 0) waiting_ += dropped_line_(std::exchange(dropped_, 0));
  waiting_ += line;
  changed_.notify_all();
}

bool LineWriter::flush(Duration at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return waiting_.empty() && !writing_; });
}

void LineWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    const std::string text = std::exchange(waiting_, {});
    writing_ = true;
    lock.unlock();
    write_out(text);
    lock.lock();
    writing_ = false;
    if (dropped_ > 0) waiting_ += dropped_line_(std::exchange(dropped_, 0));
    changed_.notify_all();
  }
}

void LineWriter::write_out(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return;  // closed: there is no one to report it to
    }
  }
}

}  // namespace qmux
