// SPDX-License-Identifier: MIT
#include "net/udp_open.h"

#include <gmock/gmock.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <array>
#include <functional>
#include <thread>

#include "net/udp_fixture.h"

namespace qmux::net {
namespace {

using io::SendStatus;

/// A network namespace with nothing but a loopback interface of some MTU, for the calling thread's sockets; false where
/// the process may not have one.
bool enter_own_network(int mtu_bytes) {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  const FileDescriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::string_view("lo").copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_mtu = mtu_bytes;
  if (::ioctl(any.get(), SIOCSIFMTU, &request) != 0) return false;
  request.ifr_flags = IFF_UP;
  return ::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
}

class NarrowLink : public UdpTest {
 protected:
  /// Runs the test on a thread of its own, since the network is the thread's.
  void over_mtu(int mtu_bytes, const std::function<void()>& body) {
    bool entered = false;
    std::thread([&] {
      entered = enter_own_network(mtu_bytes);
      if (entered) body();
    }).join();
    if (!entered) GTEST_SKIP() << "needs CAP_SYS_ADMIN, for a network namespace";
  }

  void open_pair(const Address& local, bool fragmentable) {
    a_ = {};
    b_ = {};
    io::DatagramOptions options;
    options.local = local;
    options.fragmentable = fragmentable;
    open(a_, options);
    open(b_, options);
  }

  static constexpr int kMtu = 1500;
  const std::vector<std::byte> bytes_ = pattern(65'507);
};

TEST_F(NarrowLink, takes_fragmentable_packets_of_any_size) {
  over_mtu(kMtu, [&] {
    for (const Address& local : {loopback(), loopback6()}) {
      open_pair(local, true);
      const Address peer = b_.socket->local_address();
      const std::array runs{run_to(peer, bytes_, bytes_.size()),                       // one packet
                            run_to(peer, ConstBytes(bytes_).first(9000), 2000),        // cannot be segmented
                            run_to(peer, ConstBytes(bytes_).first(1200 * 10), 1200)};  // can
      EXPECT_EQ(a_.socket->send_all(runs), 0U);
      ASSERT_TRUE(run_until([&] { return b_.packets() == 1 + 5 + 10; }));
      EXPECT_EQ(b_.arrivals[0].bytes, bytes_);
      EXPECT_EQ(b_.arrivals[1].bytes.size(), 2000U);
      EXPECT_EQ(a_.socket->send(runs[1]), SendStatus::sent);
      ASSERT_TRUE(run_until([&] { return b_.packets() == 16 + 5; }));
    }
  });
}

TEST_F(NarrowLink, refuses_larger_packets_otherwise) {
  over_mtu(kMtu, [&] {
    for (const Address& local : {loopback(), loopback6()}) {
      open_pair(local, false);
      const Address peer = b_.socket->local_address();
      const std::size_t headers = local.family() == AF_INET6 ? 48 : 28;
      const std::array runs{run_to(peer, ConstBytes(bytes_).first(kMtu - headers + 1), 2000),
                            run_to(peer, ConstBytes(bytes_).first(9000), 2000),  // its last packet is short enough
                            run_to(peer, ConstBytes(bytes_).first(kMtu - headers), 2000)};
      EXPECT_EQ(a_.socket->send(runs[0]), SendStatus::too_large);
      EXPECT_EQ(a_.socket->send(runs[1]), SendStatus::too_large);
      EXPECT_EQ(a_.socket->send_all(runs), 1U + 4);
      ASSERT_TRUE(run_until([&] { return b_.packets() == 1 + 1; }));
    }
  });
}

}  // namespace
}  // namespace qmux::net
