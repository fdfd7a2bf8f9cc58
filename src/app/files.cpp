// SPDX-License-Identifier: MIT
#include "app/files.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace qmux::app {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

std::unexpected<Error> exists_already(const std::string& path) {
  return fail("exists already and is left as it is", path);
}

/// An open descriptor, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view content) noexcept {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Files under temporary names; those not moved to their places are removed at the end.
class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    for (const std::string& name : names_) ::unlink(name.c_str());
  }

  [[nodiscard]] Result<void> add(const NewFile& file) {
    std::string name = file.path + ".XXXXXX";
    const Descriptor fd(::mkostemp(name.data(), O_CLOEXEC));  // 0600 from the start
    if (fd.get() < 0) return fail("cannot be written: " + reason(errno), file.path);
    names_.push_back(name);
    if (!write_all(fd.get(), file.content) || ::fchmod(fd.get(), file.mode) != 0 || ::fsync(fd.get()) != 0) {
      return fail("cannot be written: " + reason(errno), file.path);
    }
    return {};
  }

  [[nodiscard]] Result<void> move(std::size_t index, const std::string& path, Existing existing) {
    const char* from = names_[index].c_str();
    if (existing == Existing::replace) {
      if (::rename(from, path.c_str()) != 0) return fail("cannot be written: " + reason(errno), path);
      return {};
    }
    if (::renameat2(AT_FDCWD, from, AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return {};
    // Some file systems cannot rename with these flags. They can link.
    if (errno == EINVAL && ::link(from, path.c_str()) == 0) return {};
    if (errno == EEXIST) return exists_already(path);
    return fail("cannot be written: " + reason(errno), path);
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

Result<void> write_files(std::span<const NewFile> files, Existing existing) {
  for (const NewFile& file : files) {
    struct stat status{};
    if (::lstat(file.path.c_str(), &status) != 0) continue;
    if (existing == Existing::keep) return exists_already(file.path);
    if (S_ISDIR(status.st_mode)) return fail("is a directory", file.path);
  }
  Staging staging;
  for (const NewFile& file : files) {
    if (auto added = staging.add(file); !added) return added;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto moved = staging.move(i, files[i].path, existing);
    if (moved) continue;
    if (existing == Existing::keep) {
      for (std::size_t done = 0; done < i; ++done) ::unlink(files[done].path.c_str());
    }
    return moved;
  }
  return {};
}

Result<void> check_place(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) return exists_already(path);
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  directory += '/';  // then a file at that path is an error
  if (::access(directory.c_str(), W_OK | X_OK) != 0) return fail("cannot be written: " + reason(errno), path);
  return {};
}

// Not by size: a pipe has none. Nor is a pipe waited for that nothing writes to.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  constexpr int kPipeWaitMs = 10'000;
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return fail("cannot be read: " + reason(errno), path);
  std::string content;
  while (content.size() <= bytes_max) {
    char block[16 * 1024];
    const ssize_t count = ::read(fd.get(), block, sizeof(block));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, kPipeWaitMs) != 0) continue;
      return fail("cannot be read: nothing is written to it", path);
    }
    if (count < 0) return fail("cannot be read: " + reason(errno), path);
    if (count == 0) return content;
    content.append(block, static_cast<std::size_t>(count));
  }
  return fail("is too large", path, "at most " + std::to_string(bytes_max) + " bytes");
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const std::filesystem::path directory(path);
  std::filesystem::path above;
  for (const auto& part : directory) {
    above /= part;
    if (part.empty() || ::mkdir(above.c_str(), mode) == 0) continue;
    const int mkdir_error = errno;
    if (mkdir_error == EEXIST && std::filesystem::is_directory(above, error)) continue;
    return fail("cannot be made: " + reason(mkdir_error == EEXIST ? ENOTDIR : mkdir_error), above.string());
  }
  return {};
}

}  // namespace qmux::app
