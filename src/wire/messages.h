// SPDX-License-Identifier: MIT
//
// The messages of the QMux protocol (docs/PROTOCOL.md), as values, and their bytes:
//
//   uint8 type | uint32be length | JSON object of that length
//
// Pure functions; any thread. wire/message_reader.h reads them from a stream that arrives in any pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace qmux::wire {

/// Bytes before the JSON: type and length.
inline constexpr std::size_t kMessageHeaderBytes = 5;

/// The value of `Register::version`: the protocol of the Go programs, which all newer features extend.
inline constexpr std::string_view kProtocolVersion = "1.0";

enum class MessageType : std::uint8_t {
  register_request = 0x01,
  register_ack = 0x02,
  heartbeat = 0x03,
  new_conn = 0x04,
  conn_close = 0x06,
  go_away = 0x07,
  udp_end = 0x08,
  error = 0xff,
};

/// Words of `Register::capabilities` and `RegisterAck::capabilities`.
namespace capability {
inline constexpr std::string_view kTcp = "tcp";
inline constexpr std::string_view kUdp = "udp";
inline constexpr std::string_view kConnAck = "conn-ack";
inline constexpr std::string_view kFragSeq = "frag-seq";
inline constexpr std::string_view kDrain = "drain";
inline constexpr std::string_view kUdpEnd = "udp-end";
}  // namespace capability

/// Client to server, the first message on the control stream.
struct Register {
  std::string client_id{};  ///< 1 to limits::kClientIdBytesMax bytes
  std::string version{};
  std::vector<std::string> capabilities{};
  std::string instance{};   ///< which process of that client, hex; never logged; empty: a Go program
  std::uint32_t slot = 0;   ///< which of the instance's connections
  std::uint64_t epoch = 0;  ///< rises with every attempt of the instance

  [[nodiscard]] bool can(std::string_view word) const;
  bool operator==(const Register&) const = default;
};

/// Server to client, the answer to Register.
struct RegisterAck {
  bool success = false;
  std::string message{};                    ///< for people
  std::vector<std::string> capabilities{};  ///< those of the client's that the server will use

  [[nodiscard]] bool can(std::string_view word) const;
  bool operator==(const RegisterAck&) const = default;
};

/// Both ways on the control stream. The time is for people; nothing is computed from it.
struct Heartbeat {
  std::int64_t timestamp = 0;  ///< Unix seconds

  bool operator==(const Heartbeat&) const = default;
};

/// Server to client, the first message on a tunnel stream; raw bytes follow at once.
struct NewConn {
  std::uint64_t conn_id = 0;
  std::string protocol{};     ///< "tcp"
  std::string source_addr{};  ///< the visitor, "ip:port"
  std::string dest_addr{};    ///< the traffic address it connected to, "ip:port"
  std::int64_t timestamp = 0;
  bool ack = false;  ///< the client's first byte is to be 0x00, sent once its dial succeeded

  bool operator==(const NewConn&) const = default;
};

/// What the Go clients append to a tunnel stream (wire/conn_close_trailer.h). Never sent by ours.
struct ConnClose {
  std::uint64_t conn_id = 0;
  std::string reason{};

  bool operator==(const ConnClose&) const = default;
};

/// Either way: open nothing new towards the sender; what is open continues.
struct GoAway {
  std::string reason{};
  bool idle = false;          ///< and the sender has nothing left to carry for the receiver ...
  std::uint64_t tunnels = 0;  ///< ... of that many tunnels that the connection has had

  bool operator==(const GoAway&) const = default;
};

/// Server to client: these UDP sessions have ended and their ids are not used again.
struct UdpEnd {
  std::vector<std::uint32_t> sessions{};  ///< at most limits::kUdpEndNoticeSessionsMax from ours

  bool operator==(const UdpEnd&) const = default;
};

struct ErrorMessage {
  std::uint32_t code = 0;
  std::string message{};

  bool operator==(const ErrorMessage&) const = default;
};

/// A message of a type that this version does not know. On the control stream it is ignored.
struct UnknownMessage {
  std::uint8_t type = 0;

  bool operator==(const UnknownMessage&) const = default;
};

using Message =
    std::variant<Register, RegisterAck, Heartbeat, NewConn, ConnClose, GoAway, UdpEnd, ErrorMessage, UnknownMessage>;

/// Appends a message that every receiver ignores (type 0x09), of about `bytes` in all, at most the maximum of a message. It fills
/// a packet with data that is delivered in any case.
void encode_padding(std::size_t bytes, std::vector<std::byte>& out);

/// Whether decode_message() looks into the payload of this type.
[[nodiscard]] bool is_known_type(std::uint8_t type) noexcept;

/// The payload of one message. Unknown fields are ignored; a missing or mistyped field is an Error whose
/// `where` names it
/// ("Register.ClientID"). No text from the peer appears in an Error. The payload of an unknown type is not read.
[[nodiscard]] Result<Message> decode_message(std::uint8_t type, ConstBytes payload);

/// Appends header and JSON to `out`. The message is of a known type and stays within
/// limits::kMessageBytesMax.
void encode(const Message& message, std::vector<std::byte>& out);

}  // namespace qmux::wire
