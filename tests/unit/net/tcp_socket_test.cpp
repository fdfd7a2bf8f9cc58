// SPDX-License-Identifier: MIT
#include "net/tcp_socket.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/limits.h"
#include "net/tcp_fixture.h"

namespace qmux::net {
namespace {

using io::Interest;
using io::IoStatus;

class TcpSocket : public TcpTest {};

TEST_F(TcpSocket, carries_bytes_both_ways) {
  connect_pair();
  send_text(*client_, "ping");
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::string text;
  EXPECT_EQ(read_available(*server_, text), IoStatus::would_block);
  EXPECT_EQ(text, "ping");

  send_text(*server_, "pong");
  client_->watch(Interest::read, &client_sees_);
  ASSERT_TRUE(run_until([&] { return client_sees_.readable == 1; }));
  text.clear();
  EXPECT_EQ(read_available(*client_, text), IoStatus::would_block);
  EXPECT_EQ(text, "pong");
}

TEST_F(TcpSocket, works_over_ipv6_and_knows_both_addresses) {
  connect_pair(loopback6());
  EXPECT_EQ(client_->local_address(), server_->remote_address());
  EXPECT_EQ(client_->remote_address(), server_->local_address());
  EXPECT_EQ(accepted_remote_, client_->local_address());
  EXPECT_EQ(accepted_local_, client_->remote_address());
  EXPECT_EQ(accepted_local_.family(), AF_INET6);
}

TEST_F(TcpSocket, reads_and_writes_several_spans_in_order) {
  connect_pair();
  const std::array<ConstBytes, 3> out{as_bytes("a"), as_bytes("bc"), as_bytes("def")};
  EXPECT_EQ(client_->write(out).count, 6U);
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::array<std::byte, 2> first;
  std::array<std::byte, 16> second;
  const std::array<MutableBytes, 2> in{MutableBytes(first), MutableBytes(second)};
  EXPECT_EQ(server_->read(in).count, 6U);
  EXPECT_EQ(as_text(first), "ab");
  EXPECT_EQ(as_text(ConstBytes(second).first(4)), "cdef");
}

TEST_F(TcpSocket, is_told_once_of_readiness_for_each_watch) {
  connect_pair();
  send_text(*client_, "x");
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  send_text(*client_, "y");
  client_->watch(Interest::write, &client_sees_);
  ASSERT_TRUE(run_until([&] { return client_sees_.writable == 1; }));
  EXPECT_EQ(server_sees_.readable, 1);
  // What was not read yet is reported again at the next watch.
  server_->watch(Interest::read, &server_sees_);
  EXPECT_EQ(server_sees_.readable, 1) << "called back inside a call";
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 2; }));
}

TEST_F(TcpSocket, a_read_that_fills_the_room_is_told_of_the_rest) {
  connect_pair();
  send_text(*client_, "abcd");
  server_->watch(Interest::read, &server_sees_);
  std::string text;
  for (int times = 1; times <= 2; ++times) {
    ASSERT_TRUE(run_until([&] { return server_sees_.readable == times; }));
    std::array<std::byte, 2> two;
    const MutableBytes room(two);
    EXPECT_EQ(server_->read({&room, 1}).count, 2U);
    text += as_text(two);
    server_->watch(Interest::read, &server_sees_);
  }
  EXPECT_EQ(text, "abcd");
}

TEST_F(TcpSocket, half_close_ends_one_direction_and_leaves_the_other) {
  connect_pair();
  send_text(*client_, "question");
  client_->shutdown_write();
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::string question;
  IoStatus status = read_available(*server_, question);
  while (status == IoStatus::would_block) {
    server_sees_ = {};
    server_->watch(Interest::read, &server_sees_);
    ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
    status = read_available(*server_, question);
  }
  EXPECT_EQ(status, IoStatus::end);
  EXPECT_EQ(question, "question");

  send_text(*server_, "answer");
  server_->shutdown_write();
  server_.reset();  // both directions have ended: an orderly close
  std::string answer;
  do {
    client_sees_ = {};
    client_->watch(Interest::read, &client_sees_);
    ASSERT_TRUE(run_until([&] { return client_sees_.readable + client_sees_.reset > 0; }));
    status = read_available(*client_, answer);
  } while (status == IoStatus::would_block);
  EXPECT_EQ(status, IoStatus::end);
  EXPECT_EQ(answer, "answer");
  EXPECT_EQ(client_sees_.reset, 0);
}

TEST_F(TcpSocket, writes_until_full_and_is_told_of_room) {
  connect_pair();
  const std::vector<std::byte> block(256 * 1024);
  std::size_t sent = 0;
  io::IoResult result{};
  do {
    const ConstBytes bytes(block);
    result = client_->write({&bytes, 1});
    sent += result.count;
  } while (result.status == IoStatus::done);
  EXPECT_EQ(result.status, IoStatus::would_block);

  client_->watch(Interest::write, &client_sees_);
  std::size_t received = 0;
  std::string text;
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] {
    if (server_sees_.readable > 0) {
      server_sees_ = {};
      text.clear();
      read_available(*server_, text);
      received += text.size();
      server_->watch(Interest::read, &server_sees_);
    }
    return client_sees_.writable == 1 && received == sent;
  }));
}

TEST_F(TcpSocket, a_reset_is_told_in_every_state_of_interest) {
  for (const Interest interest : {Interest::none, Interest::read, Interest::write, Interest::read | Interest::write}) {
    connect_pair();
    server_sees_ = {};
    server_->watch(interest, &server_sees_);
    client_->abort();
    ASSERT_TRUE(run_until([&] {
      // A readiness that is reported instead leads to the reset at once.
      std::byte byte{};
      const MutableBytes room(&byte, 1);
      const ConstBytes one(&byte, 1);
      if (server_sees_.readable > 0) return server_->read({&room, 1}).status == IoStatus::reset;
      if (server_sees_.writable > 0) {
        server_sees_.writable = 0;
        if (server_->write({&one, 1}).status == IoStatus::reset) return true;
        server_->watch(interest, &server_sees_);
      }
      return server_sees_.reset == 1;
    })) << "interest "
        << static_cast<int>(interest);
    const ConstBytes more = as_bytes("x");
    EXPECT_EQ(server_->write({&more, 1}).status, IoStatus::reset);
    std::string nothing;
    EXPECT_EQ(read_available(*server_, nothing), IoStatus::reset);
    client_.reset();
    server_.reset();
  }
}

TEST_F(TcpSocket, a_reset_is_told_although_the_interest_is_spent) {
  connect_pair();
  send_text(*client_, "x");
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  client_->abort();
  ASSERT_TRUE(run_until([&] { return server_sees_.reset == 1; }));
}

TEST_F(TcpSocket, what_came_before_a_reset_is_read_before_it) {
  connect_pair();
  send_text(*client_, "last words");
  client_->abort();
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::string text;
  EXPECT_EQ(read_available(*server_, text), IoStatus::reset);
  EXPECT_EQ(text, "last words");
}

TEST_F(TcpSocket, what_came_before_a_reset_is_read_after_a_write_has_met_it) {
  connect_pair();
  send_text(*client_, "last words");
  client_->abort();
  server_->watch(Interest::write, &server_sees_);
  const ConstBytes more = as_bytes("x");
  ASSERT_TRUE(run_until([&] { return server_->write({&more, 1}).status == IoStatus::reset; }));
  server_sees_ = {};
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::string text;
  EXPECT_EQ(read_available(*server_, text), IoStatus::reset) << "a cut stream does not end in order";
  EXPECT_EQ(text, "last words");
  EXPECT_EQ(server_sees_.reset, 0) << "the write reported it";
}

TEST_F(TcpSocket, what_came_before_a_reset_is_read_after_it_was_reported) {
  connect_pair();
  server_->watch(Interest::none, &server_sees_);
  send_text(*client_, "last words");
  client_->abort();
  ASSERT_TRUE(run_until([&] { return server_sees_.reset == 1; }));
  std::string text;
  EXPECT_EQ(read_available(*server_, text), IoStatus::reset);
  EXPECT_EQ(text, "last words");
}

TEST_F(TcpSocket, a_fin_before_a_reset_is_still_a_fin) {
  connect_pair();
  server_->watch(Interest::none, &server_sees_);
  send_text(*client_, "all of it");
  client_->shutdown_write();
  client_->abort();
  ASSERT_TRUE(run_until([&] { return server_sees_.reset == 1; }));
  std::string text;
  EXPECT_EQ(read_available(*server_, text), IoStatus::end);
  EXPECT_EQ(text, "all of it");
}

TEST_F(TcpSocket, keep_alive_is_asked_of_the_kernel) {
  connect_pair();
  server_->keep_alive(std::chrono::seconds(7));
  const FileDescriptor owned(server_->detach().release());
  const int fd = owned.get();
  const auto value = [fd](int level, int name) {
    int found = -1;
    socklen_t length = sizeof found;
    EXPECT_EQ(::getsockopt(fd, level, name, &found, &length), 0);
    return found;
  };
  EXPECT_EQ(value(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPIDLE), 7);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPINTVL), 7);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPCNT), limits::kTcpProbesMax);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_USER_TIMEOUT), 0) << "a reader that pauses would be cut off";
}

TEST_F(TcpSocket, destruction_resets_what_has_not_ended_both_ways) {
  connect_pair();
  client_->shutdown_write();
  client_.reset();
  server_->watch(Interest::none, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.reset == 1; }));
}

TEST_F(TcpSocket, a_handle_that_none_adopts_resets_its_connection) {
  connect_pair();
  {
    const io::TcpHandle handle = client_->detach();
  }
  server_->watch(Interest::none, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.reset == 1; }));
}

TEST_F(TcpSocket, moves_to_another_loop_with_what_has_not_been_read) {
  connect_pair();
  send_text(*client_, "unread");
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  io::TcpHandle handle = server_->detach();
  server_.reset();
  server_ = loop_.adopt_tcp(std::move(handle));
  server_sees_ = {};
  server_->watch(Interest::read, &server_sees_);
  ASSERT_TRUE(run_until([&] { return server_sees_.readable == 1; }));
  std::string text;
  read_available(*server_, text);
  EXPECT_EQ(text, "unread");
}

TEST_F(TcpSocket, says_why_a_connection_was_refused) {
  // A port that was free a moment ago.
  const Address unused = [&] {
    struct Unused final : io::TcpListener::Events {
      void accepted(io::TcpHandle, const Address&, const Address&) override {}
    } events;
    return loop_.listen_tcp(loopback(), false, events).value()->local_address();
  }();
  auto attempt = loop_.connect_tcp(unused);
  if (!attempt) {
    EXPECT_THAT(attempt.error().text(), testing::HasSubstr("connection refused"));
    return;
  }
  (*attempt)->watch(Interest::write, &client_sees_);
  ASSERT_TRUE(run_until([&] { return client_sees_.writable == 1; }));
  EXPECT_EQ((*attempt)->connect_error(), "connection refused");
}

TEST_F(TcpSocket, may_wait_to_read_before_it_is_connected) {
  auto listener = loop_.listen_tcp(loopback(), false, *this).value();
  client_ = loop_.connect_tcp(listener->local_address()).value();
  client_->watch(Interest::read | Interest::write, &client_sees_);
  ASSERT_TRUE(run_until([&] { return client_sees_.writable == 1 && !accepted_.empty(); }));
  server_ = loop_.adopt_tcp(std::move(accepted_.back()));
  send_text(*server_, "hello");
  ASSERT_TRUE(run_until([&] { return client_sees_.readable == 1; }));
}

TEST_F(TcpSocket, urgent_data_stays_in_its_place_and_does_not_spin_the_loop) {
  connect_pair();
  server_->watch(Interest::none, &server_sees_);
  ASSERT_TRUE(run_until([&] { return true; }));
  io::TcpHandle raw = client_->detach();
  const int fd = raw.release();
  ASSERT_EQ(::send(fd, "ab", 2, 0), 2);
  ASSERT_EQ(::send(fd, "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::send(fd, "cd", 2, 0), 2);
  passes_ = 0;
  Timer soon(loop_.timers(), [] {});
  soon.set(loop_.now() + std::chrono::milliseconds(20));
  ASSERT_TRUE(run_until([&] {
    server_->watch(Interest::none, &server_sees_);
    return !soon.is_set();
  }));
  EXPECT_LT(passes_, 10);
  std::string text;
  read_available(*server_, text);
  EXPECT_EQ(text, "ab!cd");
  ::close(fd);
}

TEST_F(TcpSocket, an_observer_may_destroy_the_socket_that_tells_it) {
  connect_pair();
  struct Destroying final : io::TcpSocketEvents {
    void socket_readable() override { socket.reset(); }
    void socket_writable() override { socket.reset(); }
    void socket_reset() override { socket.reset(); }
    std::unique_ptr<io::TcpSocket> socket;
  } destroying;
  send_text(*client_, "x");
  destroying.socket = std::move(server_);
  destroying.socket->watch(Interest::read | Interest::write, &destroying);
  ASSERT_TRUE(run_until([&] { return destroying.socket == nullptr; }));
}

}  // namespace
}  // namespace qmux::net
