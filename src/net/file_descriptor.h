// SPDX-License-Identifier: MIT
//
// Ownership of one descriptor, and the text of a kernel error.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>

namespace qmux::net {

/// Closes its descriptor when destroyed. A value; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// Gives the descriptor up to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// "connection refused" for ECONNREFUSED.
[[nodiscard]] std::string errno_text(int code);

}  // namespace qmux::net
