// SPDX-License-Identifier: MIT
#include "app/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "app/temporary_directory.h"

namespace qmux::app {
namespace {

using ::testing::ElementsAre;

TEST(WriteFiles, gives_content_and_mode_whatever_the_umask) {
  const TemporaryDirectory dir;
  const mode_t before = ::umask(0077);
  const std::array<NewFile, 2> files{NewFile{dir / "public", "a", 0644}, NewFile{dir / "private", "b", 0600}};
  EXPECT_TRUE(write_files(files, Existing::keep).has_value());
  ::umask(before);
  EXPECT_EQ(dir.read("public"), "a");
  EXPECT_EQ(dir.mode("public"), 0644U);
  EXPECT_EQ(dir.mode("private"), 0600U);
  EXPECT_THAT(dir.names(), ElementsAre("private", "public"));
}

TEST(WriteFiles, writes_nothing_when_one_of_them_exists) {
  const TemporaryDirectory dir;
  dir.write("second", "mine");
  const std::array<NewFile, 2> files{NewFile{dir / "first", "a"}, NewFile{dir / "second", "b"}};
  const auto written = write_files(files, Existing::keep);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().text(), dir / "second" + ": exists already and is left as it is");
  EXPECT_EQ(dir.read("second"), "mine");
  EXPECT_THAT(dir.names(), ElementsAre("second"));
}

TEST(WriteFiles, takes_a_dangling_link_for_a_file_that_exists) {
  const TemporaryDirectory dir;
  std::filesystem::create_symlink(dir / "elsewhere", dir / "link");
  const NewFile file{dir / "link", "a"};
  EXPECT_FALSE(write_files({&file, 1}, Existing::keep).has_value());
  EXPECT_THAT(dir.names(), ElementsAre("link"));
}

TEST(WriteFiles, replaces_when_asked_to) {
  const TemporaryDirectory dir;
  dir.write("file", "old");
  const NewFile file{dir / "file", "new", 0600};
  EXPECT_TRUE(write_files({&file, 1}, Existing::replace).has_value());
  EXPECT_EQ(dir.read("file"), "new");
  EXPECT_EQ(dir.mode("file"), 0600U);
  EXPECT_THAT(dir.names(), ElementsAre("file"));
}

TEST(WriteFiles, replaces_nothing_when_one_is_a_directory) {
  const TemporaryDirectory dir;
  dir.write("first", "old");
  std::filesystem::create_directory(dir / "second");
  const std::array<NewFile, 2> files{NewFile{dir / "first", "a"}, NewFile{dir / "second", "b"}};
  const auto written = write_files(files, Existing::replace);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().text(), dir / "second" + ": is a directory");
  EXPECT_EQ(dir.read("first"), "old");
}

TEST(WriteFiles, leaves_nothing_behind_where_it_cannot_write) {
  const TemporaryDirectory dir;
  const std::array<NewFile, 2> files{NewFile{dir / "first", "a"}, NewFile{dir / "missing/second", "b"}};
  const auto written = write_files(files, Existing::keep);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().text(), dir / "missing/second" + ": cannot be written: No such file or directory");
  EXPECT_TRUE(dir.names().empty());
}

TEST(CheckPlace, agrees_with_write_files_and_writes_nothing) {
  const TemporaryDirectory dir;
  dir.write("file", "mine");
  std::filesystem::create_symlink(dir / "gone", dir / "dangling");
  for (const std::string name : {"new", "file", "dangling", "nowhere/new", "file/new"}) {
    const Result<void> place = check_place(dir / name);
    EXPECT_THAT(dir.names(), ElementsAre("dangling", "file"));
    const NewFile file{.path = dir / name, .content = "x"};
    const Result<void> written = write_files({&file, 1}, Existing::keep);
    ASSERT_EQ(place.has_value(), written.has_value()) << name;
    if (!place) {
      EXPECT_EQ(place.error().text(), written.error().text());
    } else {
      std::filesystem::remove(file.path);
    }
  }
}

TEST(ReadFile, has_a_limit) {
  const TemporaryDirectory dir;
  dir.write("file", "12345");
  EXPECT_EQ(read_file(dir / "file", 5).value(), "12345");
  EXPECT_EQ(read_file(dir / "file", 4).error().text(), dir / "file" + ": is too large (expected at most 4 bytes)");
}

TEST(MakeDirectories, makes_those_above_too) {
  const TemporaryDirectory dir;
  EXPECT_TRUE(make_directories(dir / "a/b/c/", 0755).has_value());
  EXPECT_TRUE(make_directories(dir / "a/b/c", 0755).has_value()) << "it is there";
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a/b/c"));
}

TEST(MakeDirectories, says_which_part_is_no_directory) {
  const TemporaryDirectory dir;
  dir.write("file", "");
  EXPECT_EQ(make_directories(dir / "file/certs", 0755).error().text(),
            dir / "file" + ": cannot be made: Not a directory");
  EXPECT_EQ(make_directories(dir / "file", 0755).error().text(), dir / "file" + ": cannot be made: Not a directory");
}

}  // namespace
}  // namespace qmux::app
