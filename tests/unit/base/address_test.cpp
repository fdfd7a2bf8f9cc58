// SPDX-License-Identifier: MIT
#include "base/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unordered_set>

namespace qmux {
namespace {

TEST(Address, prints_what_it_parses) {
  for (const char* text :
       {"1.2.3.4:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0", "[2001:db8::1]:4433"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
}

TEST(Address, refuses_what_is_not_a_literal_with_a_port) {
  for (const char* text :
       {"", ":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:8x", "1.2.3:80", "::1:80", "[::1]",
        "[::1:80", "::1]:80", "[1.2.3.4]:80", "localhost:80", "[]:80", "1.2.3.4 :80", "[::1%no-such-interface]:80"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
  EXPECT_FALSE(Address::from_literal(std::string_view("1.2.3.4\0x", 9), 80));
}

TEST(Address, ipv6_scopes_are_names_or_numbers) {
  const auto by_name = Address::from_literal("fe80::1%lo", 7);
  ASSERT_TRUE(by_name);
  EXPECT_EQ(by_name->text(), "[fe80::1%lo]:7");
  EXPECT_EQ(Address::parse(by_name->text()), by_name);
  const auto by_number = Address::from_literal("fe80::1%999999", 7);
  ASSERT_TRUE(by_number);
  EXPECT_EQ(by_number->text(), "[fe80::1%999999]:7");
  EXPECT_NE(by_name, by_number);
}

TEST(Address, an_ipv4_mapped_address_prints_as_ipv4) {
  EXPECT_EQ(Address::from_literal("::ffff:1.2.3.4", 80)->text(), "1.2.3.4:80");
}

TEST(Address, stands_for_its_holder_whatever_port_and_interface_he_takes) {
  const auto holder = [](const char* text) { return Address::parse(text)->holder().text(); };
  EXPECT_EQ(holder("1.2.3.4:80"), "1.2.3.4:0");
  EXPECT_EQ(holder("[2001:db8:1:2:3:4:5:6]:80"), "[2001:db8:1:2::]:0");
  EXPECT_EQ(holder("[::ffff:1.2.3.4]:80"), "1.2.3.4:0");
  EXPECT_EQ(holder("[::1]:80"), "[::]:0");
}

TEST(Address, knows_the_wildcard_and_the_same_host) {
  EXPECT_TRUE(Address::any(AF_INET, 80).is_wildcard());
  EXPECT_TRUE(Address::any(AF_INET6, 80).is_wildcard());
  EXPECT_FALSE(Address().is_wildcard());
  EXPECT_FALSE(Address::parse("127.0.0.1:80")->is_wildcard());
  EXPECT_TRUE(Address::parse("1.2.3.4:80")->same_host(*Address::parse("1.2.3.4:81")));
  EXPECT_FALSE(Address::parse("1.2.3.4:80")->same_host(*Address::parse("1.2.3.5:80")));
  EXPECT_FALSE(Address::any(AF_INET, 0).same_host(Address::any(AF_INET6, 0)));
}

TEST(Address, knows_a_link_local_one_without_interface) {
  EXPECT_TRUE(Address::from_literal("fe80::1", 80)->lacks_interface());
  EXPECT_FALSE(Address::from_literal("fe80::1%lo", 80)->lacks_interface());
  EXPECT_FALSE(Address::from_literal("2001:db8::1", 80)->lacks_interface());
  EXPECT_FALSE(Address::from_literal("169.254.0.1", 80)->lacks_interface());
  EXPECT_FALSE(Address().lacks_interface());
}

TEST(Address, equal_addresses_hash_alike_and_the_kernels_padding_does_not_count) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(80);
  raw.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  raw.sin_zero[0] = 1;
  const Address from_kernel(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
  const Address parsed = *Address::parse("127.0.0.1:80");
  EXPECT_EQ(from_kernel, parsed);
  EXPECT_EQ(from_kernel.hash(), parsed.hash());
  std::unordered_set<Address> set{from_kernel, parsed, *Address::parse("127.0.0.1:81"), *Address::parse("[::1]:80")};
  EXPECT_EQ(set.size(), 3U);
}

TEST(Address, another_family_or_a_short_one_is_no_address) {
  sockaddr_in raw{};
  raw.sin_family = AF_UNIX;
  EXPECT_FALSE(Address(reinterpret_cast<const sockaddr*>(&raw), sizeof raw).specified());
  raw.sin_family = AF_INET;
  EXPECT_FALSE(Address(reinterpret_cast<const sockaddr*>(&raw), 4).specified());
  EXPECT_EQ(Address().text(), "unspecified");
}

TEST(HostPort, brackets_are_for_ipv6_alone) { EXPECT_FALSE(HostPort::parse("[1.2.3.4]:80")); }

TEST(HostPort, prints_what_it_parses) {
  for (const char* text : {"example.org:443", "1.2.3.4:80", "[2001:db8::1]:443", ":8080", "localhost:0"}) {
    const auto host = HostPort::parse(text);
    ASSERT_TRUE(host) << text;
    EXPECT_EQ(host->text(), text);
  }
  EXPECT_EQ(HostPort::parse("[::1]:443")->host, "::1");
}

TEST(HostPort, says_what_is_wrong_and_what_would_be_right) {
  EXPECT_EQ(HostPort::parse("example.org").error().text(),
            "\"example.org\" has no port (expected host:port, or [IPv6]:port)");
  EXPECT_EQ(HostPort::parse("a:70000").error().text(), "\"70000\" is not a port (expected a number from 0 to 65535)");
  EXPECT_EQ(HostPort::parse("::1:443").error().text(),
            "the IPv6 address in \"::1:443\" needs brackets (expected [::1]:443)");
  EXPECT_THAT(HostPort::parse("[::1:443").error().text(), testing::HasSubstr("unclosed bracket"));
  EXPECT_THAT(HostPort::parse("[name]:443").error().text(), testing::HasSubstr("not an IPv6 address"));
  EXPECT_EQ(HostPort::parse("[::1]").error().text(), "\"[::1]\" has no port (expected [::1]:port)");
  EXPECT_EQ(HostPort::parse("[::1]:").error().text(), "\"[::1]:\" has no port (expected [::1]:port)");
  EXPECT_EQ(HostPort::parse("[::1]80").error().text(),
            "\"[::1]80\" has no \":\" after its bracket (expected [::1]:port)");
  EXPECT_EQ(HostPort::parse("2001:db8::1").error().text(), "\"2001:db8::1\" has no port (expected [2001:db8::1]:port)");
  EXPECT_EQ(HostPort::parse("h:1:2").error().text(),
            "\"h:1:2\" has more than one \":\" (expected host:port, or [IPv6]:port)");
  EXPECT_EQ(HostPort::parse("http://x:1").error().text(), "\"http://x:1\" is a URL (expected x:1)");
  EXPECT_EQ(HostPort::parse("https://[::1]:1/a:b").error().text(),
            "\"https://[::1]:1/a:b\" is a URL (expected [::1]:1)");
  EXPECT_EQ(HostPort::parse("https://x/").error().text(),
            "\"https://x/\" is a URL (expected host:port, or [IPv6]:port)");
  EXPECT_EQ(HostPort::parse("256.1.1.1:80").error().text(),
            "\"256.1.1.1\" is not an IPv4 address (expected four numbers from 0 to 255, such as 192.0.2.1)");
  for (const char* text : {"1.2.3:80", "1.2.3.4.5:80", "8080:80", "host.1:80"})
    EXPECT_FALSE(HostPort::parse(text)) << text;
  for (const char* text : {"1.2.3.4:80", "4u.example:80", "1-2:80", "a.1b:80"})
    EXPECT_TRUE(HostPort::parse(text)) << text;
  EXPECT_EQ(HostPort::parse("a:").error().text(), "\"a:\" has no port (expected host:port, or [IPv6]:port)");
  EXPECT_FALSE(HostPort::parse(""));
  EXPECT_FALSE(HostPort::parse(":"));
  EXPECT_FALSE(HostPort::parse("["));
}

}  // namespace
}  // namespace qmux
