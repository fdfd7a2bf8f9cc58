// SPDX-License-Identifier: MIT
#include "integration/tunnel_pair.h"

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "integration/allocation_counter.h"
#include "support/source_tree.h"

namespace qmux::integration {
namespace {

std::shared_ptr<const quic::Credentials> credentials(const std::string& name, quic::Credentials::Purpose purpose) {
  auto loaded = quic::Credentials::load(
      {test::fixture(name + ".crt"), test::fixture(name + ".key"), test::fixture("ca.crt")}, purpose);
  CHECK(loaded);
  return std::move(*loaded);
}

}  // namespace

LoopThread::LoopThread(net::AsioEventLoop& loop) : loop_(loop), thread_([this] { run(); }) {}

LoopThread::~LoopThread() {
  over_ = true;
  loop_.stop();
  thread_.join();
}

std::uint64_t LoopThread::allocations() {
  read_ = false;
  loop_.stop();  // run() returns, reads, and goes on
  read_.wait(false);
  return allocations_;
}

void LoopThread::run() {
  while (!over_) {
    loop_.run();
    allocations_ = allocation_count();
    read_ = true;
    read_.notify_all();
  }
}

TunnelPair::TunnelPair(Carries what, std::uint16_t service_port)
    : server_credentials_(credentials("server", quic::Credentials::Purpose::server)),
      client_credentials_(credentials("client", quic::Credentials::Purpose::client)),
      server_loop_(*net::AsioEventLoop::make()),
      client_loop_(*net::AsioEventLoop::make()) {
  tunnel::ServerOptions server_options;
  tunnel::ListenerOptions& listener = server_options.listeners.emplace_back();
  listener.quic_address = listener.traffic_address = *Address::parse("127.0.0.1:0");
  listener.protocol = what == Carries::tcp ? tunnel::VisitorProtocol::tcp : tunnel::VisitorProtocol::udp;
  listener.transport.udp_payload_bytes_max = kPacketBytes;
  server_options.credentials = server_credentials_;
  server_ = std::make_unique<tunnel::Server>(server_options, std::vector<io::EventLoop*>{server_loop_.get()}, [] {});
  CHECK(server_->start());

  tunnel::ClientOptions client_options;
  client_options.client_id = "steady";
  client_options.servers.push_back({{"127.0.0.1", server_->quic_address(0).port()}, "127.0.0.1"});
  client_options.local_service.address = {"127.0.0.1", service_port};
  client_options.credentials = client_credentials_;
  client_options.transport.udp_payload_bytes_max = kPacketBytes;
  client_options.transport.incoming_streams_max = 100;
  client_ = std::make_unique<tunnel::Client>(client_options, std::vector<io::EventLoop*>{client_loop_.get()}, [] {});
  client_->start();

  server_thread_ = std::make_unique<LoopThread>(*server_loop_);
  client_thread_ = std::make_unique<LoopThread>(*client_loop_);
}

}  // namespace qmux::integration
