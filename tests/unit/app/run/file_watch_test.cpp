// SPDX-License-Identifier: MIT
#include "app/run/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "app/temporary_directory.h"

namespace qmux::app {
namespace {

class FileWatchTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { directory_.write(name, text); }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  /// Looks until what is there has settled.
  [[nodiscard]] bool settles_changed() {
    const bool first = watch_.have_changed();
    return watch_.have_changed() || first;
  }

  TemporaryDirectory directory_;
  FileWatch watch_;
};

TEST_F(FileWatchTest, a_change_counts_once_it_has_settled) {
  write("a", "1");
  watch_.watch({path("a")});
  EXPECT_FALSE(settles_changed());
  write("a", "12");
  EXPECT_FALSE(watch_.have_changed());
  write("a", "123");
  EXPECT_FALSE(watch_.have_changed());
  EXPECT_TRUE(watch_.have_changed());
  watch_.read_now();
  EXPECT_FALSE(settles_changed());
}

TEST_F(FileWatchTest, notices_replacement_absence_and_a_turned_link) {
  write("a", "1");
  write("b", "1");
  std::filesystem::create_directory(path("old"));
  std::filesystem::create_directory(path("new"));
  write("old/c", "1");
  write("new/c", "1");
  std::filesystem::create_directory_symlink("old", path("link"));
  watch_.watch({path("a"), path("link/c"), path("later")});
  std::filesystem::rename(path("b"), path("a"));
  EXPECT_TRUE(settles_changed());
  watch_.read_now();
  std::filesystem::remove(path("link"));
  std::filesystem::create_directory_symlink("new", path("link"));
  EXPECT_TRUE(settles_changed());
  watch_.read_now();
  write("later", "1");
  EXPECT_TRUE(settles_changed());
  watch_.read_now();
  std::filesystem::remove(path("a"));
  EXPECT_TRUE(settles_changed());
}

TEST_F(FileWatchTest, what_changed_since_it_was_read_is_noticed_after_the_list_has_changed_too) {
  write("a", "1");
  watch_.watch({path("a")});
  watch_.read_now();
  write("a", "12");
  watch_.watch({path("a"), path("b")});
  EXPECT_TRUE(settles_changed());
}

}  // namespace
}  // namespace qmux::app
