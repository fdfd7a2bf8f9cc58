// SPDX-License-Identifier: MIT
//
// A fuzzer's bytes as what a hostile peer does: a head that says how it begins, then one step after another.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "fuzz_input.h"
#include "hostile/frames.h"
#include "hostile/peer.h"
#include "quic/library_guard.h"

namespace qmux::fuzz {

class HostileScript {
 public:
  /// `run` lets that much time pass; `special`: a step of the target's own, by a byte.
  HostileScript(FuzzInput& input, hostile::Peer& peer, std::function<void(Duration)> run,
                std::function<void(std::uint8_t)> special)
      : input_(input), peer_(peer), run_(std::move(run)), special_(std::move(special)) {}

  /// The head, before the handshake begins. True: the handshake is to be completed before the first step.
  bool begin() {
    const std::uint8_t how = input_.byte();
    if ((how & 1U) != 0) return true;
    peer_.set_sends_flights((how & 2U) != 0);
    peer_.set_acknowledges((how & 4U) != 0);
    peer_.set_sends_parameters((how & 8U) == 0);
    for (std::size_t i = 0; i < how >> 6U; ++i) {
      const std::uint64_t number = input_.byte();
      const ConstBytes value = input_.bytes(input_.up_to(64));
      peer_.transport_parameters()[number].assign(value.begin(), value.end());
    }
    return (how & 16U) != 0;
  }

  void steps() {
    for (std::size_t i = 0; i < kStepsMax && !input_.empty(); ++i) step();
  }

  /// Prints each failed assertion of ngtcp2 once; the program continues.
  static void report_failures() {
    static std::set<std::string> known;
    if (quic::library_failures() == 0 || !known.insert(quic::library_failure()).second) return;
    std::fprintf(stderr, "assertion of ngtcp2: %s\n", quic::library_failure().c_str());
  }

 private:
  static constexpr std::size_t kStepsMax = 200;
  static constexpr std::size_t kFramesBytesMax = 1150;

  using Frames = hostile::Frames;
  using Level = hostile::Level;

  void step() {
    const std::uint8_t what = input_.byte();
    const auto level = static_cast<Level>((what >> 4U) % hostile::kLevels);
    switch (what & 15U) {
      case 0:
        return run_(std::chrono::milliseconds(5) * (1 + input_.byte()));
      case 1:
        return peer_.send(level, input_.bytes(input_.byte()));
      case 2:
        return peer_.send(level, made_frames());
      case 3:
        return send_flight(level);
      case 4:
        return acknowledge(level);
      case 5:
        return move(what);
      case 6:
        return peer_.update_keys();
      case 7:
        return peer_.send(Level::application, Frames().path_frame(hostile::FrameType::path_response, challenge()));
      case 8:
        return new_connection_ids();
      case 9:
        return use_connection_id();
      case 10:
        return send_crypto(level);
      case 11:
        return peer_.send_raw(input_.bytes(input_.byte()));
      case 12:
        return peer_.skip_packet_numbers(input_.byte() * std::uint64_t{input_.byte()});
      case 13:
        return send_stream();
      case 14:
        peer_.set_acknowledges((what & 16U) != 0);
        return;
      default:
        return special_(input_.byte());
    }
  }

  /// Small values mostly, which name what exists.
  std::uint64_t integer() {
    const std::uint8_t value = input_.byte();
    if (value < 0xf0) return value;
    std::uint64_t large = 0;
    for (const std::byte each : input_.bytes(value == 0xff ? 8 : value & 3U)) {
      large = large << 8U | std::to_integer<std::uint64_t>(each);
    }
    return large & 0x3fffffffffffffffU;
  }

  /// Frames that are well formed, of any type.
  Frames made_frames() {
    Frames frames;
    for (std::size_t count = 1 + input_.byte() % 8; count > 0 && frames.bytes().size() < kFramesBytesMax; --count) {
      add_frame(frames);
    }
    return frames;
  }

  void add_frame(Frames& frames) {
    constexpr std::array<std::size_t, 0x1f> kIntegers = {0, 0, 4, 7, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                         1, 2, 1, 1, 1, 2, 1, 1, 0, 1, 0, 0, 3, 2, 0};
    const std::uint64_t type = input_.byte() % 0x22;
    if (type == hostile::FrameType::new_connection_id) {
      const std::uint64_t sequence = integer();
      const std::uint8_t how = input_.byte();
      frames.new_connection_id(sequence, integer(), static_cast<std::uint8_t>(sequence + 1), 1 + how % 20);
    } else if (type == hostile::FrameType::path_challenge || type == hostile::FrameType::path_response) {
      frames.frame(type).raw(input_.bytes(8));
    } else if (type == hostile::FrameType::crypto || type == hostile::FrameType::new_token) {
      frames.varint(type);
      if (type == hostile::FrameType::crypto) frames.varint(integer());
      const ConstBytes data = input_.bytes(input_.up_to(64));
      frames.varint(data.size()).raw(data);
    } else if (type >= hostile::FrameType::stream && type < hostile::FrameType::max_data) {
      const std::uint64_t id = integer();
      frames.stream(id, integer(), input_.bytes(input_.up_to(64)), (type & 1U) != 0);
    } else if (type >= kIntegers.size()) {
      const ConstBytes data = input_.bytes(input_.up_to(64));
      frames.frame(hostile::FrameType::datagram + 1, data.size()).raw(data);
    } else {
      frames.varint(type);
      for (std::size_t i = 0; i < kIntegers[type]; ++i) frames.varint(integer());
    }
  }

  /// Some of what TLS wants to send, and frames behind it in the same datagram.
  void send_flight(Level level) {
    const Frames flight = peer_.take_flight(level, 16 * (1 + std::size_t{input_.byte()} % 64));
    const std::uint8_t behind = input_.byte();
    if ((behind & 1U) == 0) return peer_.send(level, flight);
    const auto also = static_cast<Level>((behind >> 1U) % hostile::kLevels);
    const Frames more = made_frames();
    peer_.send(std::array{hostile::PacketPlan{level, flight}, hostile::PacketPlan{also, more}});
  }

  void acknowledge(Level level) {
    Frames frames;
    const std::uint64_t behind = integer();
    const std::uint64_t known = peer_.largest(level).value_or(0);
    const std::uint64_t largest = known >= behind ? known - behind : behind;
    const std::size_t ranges = input_.byte() % 8;
    frames.frame((ranges & 1U) != 0 ? hostile::FrameType::ack_ecn : hostile::FrameType::ack, largest, integer(), ranges,
                 integer());
    for (std::size_t i = 0; i < ranges; ++i) frames.varint(integer()).varint(integer());
    if ((ranges & 1U) != 0) frames.varint(integer()).varint(integer()).varint(integer());
    peer_.send(level, frames);
  }

  void move(std::uint8_t what) {
    if ((what & 16U) != 0) {
      peer_.move_back();
    } else if (moves_ < kMovesMax) {
      ++moves_;
      peer_.move();
    }
    const std::uint8_t how = what >> 5U;
    if ((how & 1U) != 0) peer_.send(Level::application, Frames().ping());
    if ((how & 2U) != 0)
      peer_.send(Level::application, Frames().path_frame(hostile::FrameType::path_challenge, challenge()));
  }

  std::vector<std::byte> challenge() const {
    std::vector<std::byte> data = peer_.challenge();
    data.resize(8);
    return data;
  }

  void new_connection_ids() {
    const std::uint8_t how = input_.byte();
    Frames frames;
    for (std::size_t i = 0; i <= how % 4U; ++i) {
      ++sequence_;
      const std::uint64_t retire = (how & 4U) != 0 ? sequence_ - (how >> 3U) % 8U : 0;
      frames.new_connection_id(sequence_, retire, static_cast<std::uint8_t>(sequence_ + 1));
    }
    peer_.send(Level::application, frames);
  }

  void use_connection_id() {
    const auto& ids = peer_.connection_ids();
    if (!ids.empty()) peer_.set_destination(ids[input_.byte() % ids.size()]);
  }

  void send_crypto(Level level) {
    const ConstBytes data = input_.bytes(input_.byte());
    peer_.send(level, peer_.forged_crypto(level, data));
  }

  void send_stream() {
    const std::uint64_t id = integer();
    const std::uint64_t offset = integer();
    const ConstBytes data = input_.bytes(input_.byte());
    peer_.send(Level::application, Frames().stream(id, offset, data, (offset & 1U) != 0 && data.empty()));
  }

  static constexpr std::size_t kMovesMax = 24;

  FuzzInput& input_;
  hostile::Peer& peer_;
  const std::function<void(Duration)> run_;
  const std::function<void(std::uint8_t)> special_;
  std::size_t moves_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace qmux::fuzz
