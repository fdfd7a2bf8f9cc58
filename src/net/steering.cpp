// SPDX-License-Identifier: MIT
#include "net/steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cstdint>

namespace qmux::net {

bool steer_by_connection_id(int fd, std::size_t sockets) noexcept {
  sock_filter program[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},       // A = packet[0]
      {BPF_JMP | BPF_JSET | BPF_K, 0, 2, 0x80},  // the short header continues two further on
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 6},       // long header: behind version and length of the ID
      {BPF_JMP | BPF_JA, 0, 0, 1},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 1},  // short header
      {BPF_ALU | BPF_MOD | BPF_K, 0, 0, static_cast<std::uint32_t>(sockets)},
      {BPF_RET | BPF_A, 0, 0, 0},
  };
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

}  // namespace qmux::net
