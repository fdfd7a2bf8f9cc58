// SPDX-License-Identifier: MIT
#include "wire/messages.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "wire/json_object.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

/// No member of MessageType: a receiver does not look into it.
constexpr std::uint8_t kPaddingType = 0x09;

using OrderedJson = nlohmann::ordered_json;  // keeps the order of docs/PROTOCOL.md

template <typename M>
Result<Message> fill(M& message, std::string_view name, ConstBytes payload, std::initializer_list<JsonField> fields) {
  if (auto read = read_json_object(payload, name, fields); !read) return std::unexpected(std::move(read).error());
  return std::move(message);
}

Result<Message> decode_register(ConstBytes payload) {
  Register m;
  auto message = fill(m, "Register", payload,
                      {{"ClientID", &m.client_id},
                       {"Version", &m.version},
                       {"Capabilities", &m.capabilities, false},
                       {"Instance", &m.instance, false},
                       {"Slot", &m.slot, false},
                       {"Epoch", &m.epoch, false}});
  if (!message) return message;
  // Kept for as long as the client is registered, so bounded tighter than the message.
  const auto& read = std::get<Register>(*message);
  if (read.client_id.empty() || read.client_id.size() > limits::kClientIdBytesMax) {
    return fail("is empty or too long", "Register.ClientID",
                "1 to " + std::to_string(limits::kClientIdBytesMax) + " bytes");
  }
  if (read.instance.size() > limits::kInstanceBytesMax) {
    return fail("is too long", "Register.Instance",
                "at most " + std::to_string(limits::kInstanceBytesMax) + " characters");
  }
  return message;
}

Result<Message> decode_new_conn(ConstBytes payload) {
  NewConn m;
  auto message = fill(m, "NewConn", payload,
                      {{"ConnID", &m.conn_id},
                       {"Protocol", &m.protocol},
                       {"SourceAddr", &m.source_addr},
                       {"DestAddr", &m.dest_addr},
                       {"Timestamp", &m.timestamp},
                       {"Ack", &m.ack, false}});
  if (!message) return message;
  // Kept for as long as the tunnel lives.
  const auto& read = std::get<NewConn>(*message);
  for (const std::string* const text : {&read.protocol, &read.source_addr, &read.dest_addr}) {
    if (text->size() > limits::kNewConnTextBytesMax) {
      return fail("holds a text that is too long", "NewConn",
                  "at most " + std::to_string(limits::kNewConnTextBytesMax) + " bytes");
    }
  }
  return message;
}

OrderedJson to_json(const Register& m) {
  OrderedJson json{{"ClientID", m.client_id}, {"Version", m.version}, {"Capabilities", m.capabilities}};
  if (m.instance.empty()) return json;  // as a Go program sends it
  json["Instance"] = m.instance;
  json["Slot"] = m.slot;
  json["Epoch"] = m.epoch;
  return json;
}

OrderedJson to_json(const RegisterAck& m) {
  OrderedJson json{{"Success", m.success}, {"Message", m.message}};
  if (!m.capabilities.empty()) json["Capabilities"] = m.capabilities;
  return json;
}

OrderedJson to_json(const Heartbeat& m) { return {{"Timestamp", m.timestamp}}; }

OrderedJson to_json(const NewConn& m) {
  OrderedJson json{{"ConnID", m.conn_id},
                   {"Protocol", m.protocol},
                   {"SourceAddr", m.source_addr},
                   {"DestAddr", m.dest_addr},
                   {"Timestamp", m.timestamp}};
  if (m.ack) json["Ack"] = true;
  return json;
}

OrderedJson to_json(const ConnClose& m) { return {{"ConnID", m.conn_id}, {"Reason", m.reason}}; }
OrderedJson to_json(const GoAway& m) {
  OrderedJson json{{"Reason", m.reason}};
  if (m.idle) {
    json["Idle"] = true;
    json["Tunnels"] = m.tunnels;
  }
  return json;
}
OrderedJson to_json(const UdpEnd& m) { return {{"Sessions", m.sessions}}; }
OrderedJson to_json(const ErrorMessage& m) { return {{"Code", m.code}, {"Message", m.message}}; }

constexpr MessageType type_of(const Register&) { return MessageType::register_request; }
constexpr MessageType type_of(const RegisterAck&) { return MessageType::register_ack; }
constexpr MessageType type_of(const Heartbeat&) { return MessageType::heartbeat; }
constexpr MessageType type_of(const NewConn&) { return MessageType::new_conn; }
constexpr MessageType type_of(const ConnClose&) { return MessageType::conn_close; }
constexpr MessageType type_of(const GoAway&) { return MessageType::go_away; }
constexpr MessageType type_of(const UdpEnd&) { return MessageType::udp_end; }
constexpr MessageType type_of(const ErrorMessage&) { return MessageType::error; }

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

void append_message(std::uint8_t type, std::string_view json, std::vector<std::byte>& out) {
  CHECK(json.size() <= limits::kMessageBytesMax);
  const std::size_t begin = out.size();
  out.resize(begin + kMessageHeaderBytes + json.size());
  const MutableBytes frame = std::span(out).subspan(begin);
  frame[0] = static_cast<std::byte>(type);
  write_be(frame.subspan(1), static_cast<std::uint32_t>(json.size()));
  std::memcpy(frame.data() + kMessageHeaderBytes, json.data(), json.size());
}

}  // namespace

bool Register::can(std::string_view word) const { return contains(capabilities, word); }
bool RegisterAck::can(std::string_view word) const { return contains(capabilities, word); }

bool is_known_type(std::uint8_t type) noexcept {
  switch (static_cast<MessageType>(type)) {
    case MessageType::register_request:
    case MessageType::register_ack:
    case MessageType::heartbeat:
    case MessageType::new_conn:
    case MessageType::conn_close:
    case MessageType::go_away:
    case MessageType::udp_end:
    case MessageType::error:
      return true;
  }
  return false;
}

Result<Message> decode_message(std::uint8_t type, ConstBytes payload) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::register_request:
      return decode_register(payload);
    case MessageType::register_ack: {
      RegisterAck m;
      return fill(m, "RegisterAck", payload,
                  {{"Success", &m.success}, {"Message", &m.message, false}, {"Capabilities", &m.capabilities, false}});
    }
    case MessageType::heartbeat: {
      Heartbeat m;
      return fill(m, "Heartbeat", payload, {{"Timestamp", &m.timestamp}});
    }
    case MessageType::new_conn:
      return decode_new_conn(payload);
    case MessageType::conn_close: {
      ConnClose m;
      return fill(m, "ConnClose", payload, {{"ConnID", &m.conn_id}, {"Reason", &m.reason, false}});
    }
    case MessageType::go_away: {
      GoAway m;
      return fill(m, "GoAway", payload,
                  {{"Reason", &m.reason, false}, {"Idle", &m.idle, false}, {"Tunnels", &m.tunnels, false}});
    }
    case MessageType::udp_end: {
      UdpEnd m;
      return fill(m, "UdpEnd", payload, {{"Sessions", &m.sessions}});
    }
    case MessageType::error: {
      ErrorMessage m;
      return fill(m, "Error", payload, {{"Code", &m.code}, {"Message", &m.message, false}});
    }
  }
  return UnknownMessage{type};
}

void encode(const Message& message, std::vector<std::byte>& out) {
  CHECK(!std::holds_alternative<UnknownMessage>(message));
  std::visit(
      [&out]<typename M>(const M& m) {
        if constexpr (!std::is_same_v<M, UnknownMessage>) {
          // Text that is not UTF-8 (an identifier from a file) is sent with U+FFFD in it, as the Go programs do.
          const std::string json = to_json(m).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
          append_message(static_cast<std::uint8_t>(type_of(m)), json, out);
        }
      },
      message);
}

void encode_padding(std::size_t bytes, std::vector<std::byte>& out) {
  constexpr std::size_t kAroundBytes = std::string_view(R"({"Padding":""})").size();
  const std::size_t blanks = std::min(std::max(bytes, kAroundBytes), limits::kMessageBytesMax) - kAroundBytes;
  append_message(kPaddingType, R"({"Padding":")" + std::string(blanks, ' ') + R"("})", out);
}

}  // namespace qmux::wire
