// SPDX-License-Identifier: MIT
#include "base/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace qmux {
namespace {

using namespace std::chrono_literals;

class LineWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(ends_), 0);
    ASSERT_GE(::fcntl(ends_[1], F_SETPIPE_SZ, 4096), 0);
    writer_ =
        &LineWriter::start(ends_[1], 10'000, [](std::uint64_t count) { return std::to_string(count) + " dropped\n"; });
  }
  /// Reads until `text` has come.
  bool read_until(const std::string& text) {
    char buffer[1024];
    while (received_.find(text) == std::string::npos) {
      const ssize_t count = ::read(ends_[0], buffer, sizeof buffer);
      if (count <= 0) return false;
      received_.append(buffer, static_cast<std::size_t>(count));
    }
    return true;
  }

  // Left open: the writer's thread outlives the test.
  int ends_[2]{};
  LineWriter* writer_ = nullptr;
  std::string received_;
};

TEST_F(LineWriterTest, writes_lines_in_their_order) {
  for (int i = 0; i < 100; ++i) writer_->write(std::to_string(i) + "\n");
  EXPECT_TRUE(writer_->flush(10s));
  EXPECT_TRUE(read_until("99\n"));
  EXPECT_TRUE(received_.starts_with("0\n1\n2\n"));
}

TEST_F(LineWriterTest, a_reader_that_has_stopped_holds_up_none_and_learns_what_was_dropped) {
  const std::string line = std::string(99, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) writer_->write(line);
  EXPECT_FALSE(writer_->flush(1ms));
  EXPECT_TRUE(read_until(" dropped\n"));
  writer_->write("the end\n");
  EXPECT_TRUE(read_until("the end\n"));
  EXPECT_TRUE(writer_->flush(10s));
}

}  // namespace
}  // namespace qmux
