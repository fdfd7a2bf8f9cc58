// SPDX-License-Identifier: MIT
#include "net/tcp_listener.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/file_descriptor.h"
#include "net/socket_options.h"
#include "net/tcp_fixture.h"

namespace qmux::net {
namespace {

using namespace std::chrono_literals;

class TcpListener : public LoopTest, protected io::TcpListener::Events {
 protected:
  void listen(const Address& local, bool shared = false) {
    auto listener = loop_.listen_tcp(local, shared, *this);
    ASSERT_TRUE(listener) << listener.error().text();
    listener_ = std::move(*listener);
  }

  /// A visitor made without the loop; connecting on loopback does not need an accept.
  static FileDescriptor visit(const Address& where) {
    FileDescriptor fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), where.raw(), where.raw_length()), 0);
    return fd;
  }

  void accepted(io::TcpHandle visitor, const Address& remote, const Address& local) override {
    visitors_.push_back(std::move(visitor));
    remote_ = remote;
    local_ = local;
    if (destroy_at_ == visitors_.size()) listener_.reset();
  }

  std::unique_ptr<io::TcpListener> listener_;
  std::vector<io::TcpHandle> visitors_;
  std::size_t destroy_at_ = 0;
  Address remote_;
  Address local_;
};

TEST_F(TcpListener, accepts_more_visitors_than_one_pass_takes) {
  listen(loopback());
  std::vector<FileDescriptor> fds;
  for (int i = 0; i < 150; ++i) fds.push_back(visit(listener_->local_address()));
  ASSERT_TRUE(run_until([&] { return visitors_.size() == fds.size(); }));
  EXPECT_EQ(remote_, bound_address(fds.back().get()));
  EXPECT_EQ(local_, listener_->local_address());
  EXPECT_GT(passes_, 1);
}

TEST_F(TcpListener, the_ipv6_wildcard_takes_ipv4_as_well) {
  listen(Address::any(AF_INET6, 0));
  const std::uint16_t port = listener_->local_address().port();
  for (const Address& where : {loopback(port), loopback6(port)}) {
    visitors_.clear();
    const FileDescriptor visitor = visit(where);
    ASSERT_TRUE(run_until([&] { return visitors_.size() == 1; }));
    EXPECT_EQ(local_.host_text(), where.host_text());
    EXPECT_EQ(remote_.host_text(), where.host_text());
  }
}

TEST_F(TcpListener, the_ipv4_wildcard_takes_ipv4_alone) {
  listen(Address::any(AF_INET, 0));
  const Address v6 = loopback6(listener_->local_address().port());
  const FileDescriptor fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(fd.get(), v6.raw(), v6.raw_length()), 0);
}

TEST_F(TcpListener, may_be_destroyed_by_the_observer_in_the_middle_of_a_batch) {
  listen(loopback());
  std::vector<FileDescriptor> fds;
  for (int i = 0; i < 5; ++i) fds.push_back(visit(listener_->local_address()));
  destroy_at_ = 2;
  ASSERT_TRUE(run_until([&] { return listener_ == nullptr; }));
  EXPECT_EQ(visitors_.size(), 2U);
}

TEST_F(TcpListener, pauses_while_descriptors_are_short_and_does_not_spin) {
  listen(loopback());
  // UndefinedBehaviorSanitizer needs descriptors of its own when it first meets a type: let it meet them all now.
  log::warn("about to run out of descriptors, on purpose", {{"traffic", listener_->local_address().text()}});
  ASSERT_TRUE(run_until([] { return true; }));
  std::vector<FileDescriptor> fds;
  for (int i = 0; i < 3; ++i) fds.push_back(visit(listener_->local_address()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  bool waited = false;
  Timer later(loop_.timers(), [&] { waited = true; });
  later.set(loop_.now() + 250ms);
  passes_ = 0;
  const bool in_time = run_until([&] { return waited; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(in_time);
  EXPECT_TRUE(visitors_.empty());
  EXPECT_LT(passes_, 15);
  // Nobody who waited is lost.
  EXPECT_TRUE(run_until([&] { return visitors_.size() == 3; }));
}

TEST_F(TcpListener, a_port_in_use_is_an_error_that_names_it) {
  listen(loopback());
  const Address taken = listener_->local_address();
  const auto second = loop_.listen_tcp(taken, false, *this);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text(), "cannot listen on tcp " + taken.text() + ": address already in use");
}

TEST_F(TcpListener, shares_a_port_among_workers) {
  listen(loopback(), true);
  const auto second = loop_.listen_tcp(listener_->local_address(), true, *this);
  ASSERT_TRUE(second) << second.error().text();
  std::vector<FileDescriptor> fds;
  for (int i = 0; i < 40; ++i) fds.push_back(visit(listener_->local_address()));
  ASSERT_TRUE(run_until([&] { return visitors_.size() == fds.size(); }));
}

}  // namespace
}  // namespace qmux::net
