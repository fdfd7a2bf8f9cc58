// SPDX-License-Identifier: MIT
#include "net/udp_errors.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "net/udp_fixture.h"
#include "net/udp_open.h"

namespace qmux::net {
namespace {

using io::Unreachable;

class UdpErrors : public UdpTest {};

TEST_F(UdpErrors, an_errno_says_where_the_way_ends) {
  EXPECT_EQ(unreachable_by_errno(ECONNREFUSED), Unreachable::port);
  EXPECT_EQ(unreachable_by_errno(EHOSTUNREACH), Unreachable::host);
  EXPECT_EQ(unreachable_by_errno(ENETUNREACH), Unreachable::network);
  EXPECT_EQ(unreachable_by_errno(EPERM), Unreachable::prohibited);
  EXPECT_EQ(unreachable_by_errno(EMSGSIZE), Unreachable::none);
  EXPECT_EQ(unreachable_by_errno(ENOBUFS), Unreachable::none);
}

TEST_F(UdpErrors, the_queue_of_a_connected_socket_tells_of_a_closed_port_once) {
  for (const Address& local : {loopback(), loopback6()}) {
    Collecting gone;
    open(gone, local);
    const Address closed = gone.socket->local_address();
    gone.socket.reset();
    const auto fd = open_udp({.local = local, .remote = closed});
    ASSERT_TRUE(fd) << fd.error().text();
    EXPECT_EQ(take_queued_error(fd->get()), std::nullopt);
    ASSERT_EQ(::send(fd->get(), "x", 1, 0), 1);
    EXPECT_EQ(take_queued_error(fd->get()), Unreachable::port);
    EXPECT_EQ(take_queued_error(fd->get()), std::nullopt);
  }
}

TEST_F(UdpErrors, a_packet_that_is_too_large_says_nothing_about_the_way) {
  open(b_, loopback());
  const auto fd = open_udp({.local = loopback(), .remote = b_.socket->local_address()});
  ASSERT_TRUE(fd);
  const auto bytes = pattern(65'535);
  ASSERT_EQ(::send(fd->get(), bytes.data(), bytes.size(), 0), -1);
  ASSERT_EQ(errno, EMSGSIZE);
  EXPECT_NE(take_queued_error(fd->get()).value_or(Unreachable::none), Unreachable::port);
}

TEST_F(UdpErrors, many_errors_do_not_fill_the_receive_buffer) {
  io::DatagramOptions options;
  options.local = loopback();
  options.remote = closed_port();
  options.buffer_bytes = 16 * 1024;
  open(a_, options);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(a_.socket->send(run_to({}, pattern(5), 5)), io::SendStatus::sent);
  EXPECT_EQ(a_.socket->unreachable(), Unreachable::port);
  open(b_, options.remote);
  ASSERT_TRUE(run_until([&] { return a_.notified > 0; }));
  ASSERT_EQ(b_.socket->send(run_to(a_.socket->local_address(), pattern(700), 700)), io::SendStatus::sent);
  EXPECT_TRUE(run_until([&] { return a_.packets() == 1; }));
}

}  // namespace
}  // namespace qmux::net
