// SPDX-License-Identifier: MIT
#include "sim/scenario/faults.h"

#include <algorithm>

#include "sim/world/nat.h"
#include "sim/world/network.h"
#include "tunnel/limits.h"

namespace qmux::sim {

void Faults::schedule() {
  scheduled_at_ = world_.now();
  for (const FaultPlan& fault : plan_.faults) {
    world_.after(fault.begin, [this, &fault] { begin(fault); });
    world_.after(fault.begin + fault.length, [this, &fault] { end(fault); });
  }
}

void Faults::begin(const FaultPlan& fault) {
  world_.record("fault: {}", fault.text());
  switch (fault.kind) {
    case FaultKind::nat_rebinding:
      if (Nat* nat = deployment_.client_sites()[fault.target].nat) nat->rebind();
      break;
    case FaultKind::path_shrinks:
      return shrink_path(fault);
    case FaultKind::client_moves:
      return world_.network().move(deployment_.client_sites()[fault.target].client->host());
    case FaultKind::client_reloads:
      return deployment_.client_sites()[fault.target].client->reload();
    case FaultKind::server_reloads:
      return deployment_.servers()[fault.target]->reload();
    case FaultKind::listener_goes:
      return deployment_.servers()[fault.target]->remove(fault.listener);
    case FaultKind::short_partition:
    case FaultKind::long_partition:
      return partition(fault);
    case FaultKind::server_crash:
      if (deployment_.servers()[fault.target]->running()) deployment_.servers()[fault.target]->crash();
      break;
    case FaultKind::server_stop:
      if (deployment_.servers()[fault.target]->running()) deployment_.servers()[fault.target]->stop();
      break;
    case FaultKind::client_crash:
      if (deployment_.client_sites()[fault.target].client->running())
        deployment_.client_sites()[fault.target].client->crash();
      break;
    case FaultKind::client_stop:
      if (deployment_.client_sites()[fault.target].client->running())
        deployment_.client_sites()[fault.target].client->stop();
      break;
    case FaultKind::service_down:
      deployment_.client_sites()[fault.target].service->go_down(fault.hard);
      deployment_.client_sites()[fault.target].udp_service->go_down();
      break;
    case FaultKind::service_freezes:
      return deployment_.client_sites()[fault.target].service_loop->set_frozen(true);
    case FaultKind::client_freezes:
      return deployment_.client_sites()[fault.target].client->set_frozen(true);
    case FaultKind::client_vanishes:
      deployment_.client_sites()[fault.target].client->host().set_dark(true);
      return deployment_.client_sites()[fault.target].client->crash();
  }
}

void Faults::partition(const FaultPlan& fault) {
  const ClientSite& site = deployment_.client_sites()[fault.target];
  Network& network = world_.network();
  network.block(*site.outside, *site.server_host, {}, fault.length);
  if (fault.hard) network.block(*site.server_host, *site.outside, {}, fault.length);
}

void Faults::shrink_path(const FaultPlan& fault) {
  const ClientSite& site = deployment_.client_sites()[fault.target];
  const ClientPlan& client = plan_.clients[fault.target];
  Network& network = world_.network();
  network.link(*site.outside, *site.server_host).properties().mtu_bytes =
      std::min(client.to_server.mtu_bytes, fault.mtu_bytes);
  network.link(*site.server_host, *site.outside).properties().mtu_bytes =
      std::min(client.from_server.mtu_bytes, fault.mtu_bytes);
}

void Faults::widen_path(const FaultPlan& fault) {
  if (fault.hard) return;
  const ClientSite& site = deployment_.client_sites()[fault.target];
  const ClientPlan& client = plan_.clients[fault.target];
  Network& network = world_.network();
  network.link(*site.outside, *site.server_host).properties().mtu_bytes = client.to_server.mtu_bytes;
  network.link(*site.server_host, *site.outside).properties().mtu_bytes = client.from_server.mtu_bytes;
}

void Faults::end(const FaultPlan& fault) {
  ++over_count_;
  switch (fault.kind) {
    case FaultKind::server_crash:
    case FaultKind::server_stop:
    case FaultKind::client_crash:
    case FaultKind::client_stop:
      return restart(fault);
    case FaultKind::service_down:
      deployment_.client_sites()[fault.target].service->come_back();
      return deployment_.client_sites()[fault.target].udp_service->come_back();
    case FaultKind::path_shrinks:
      return widen_path(fault);
    case FaultKind::listener_goes:
      return deployment_.servers()[fault.target]->put_back(fault.listener);
    case FaultKind::service_freezes:
      return deployment_.client_sites()[fault.target].service_loop->set_frozen(false);
    case FaultKind::client_freezes:
      return deployment_.client_sites()[fault.target].client->set_frozen(false);
    case FaultKind::client_vanishes:
      deployment_.client_sites()[fault.target].client->host().set_dark(false);
      return deployment_.client_sites()[fault.target].client->start();
    default:
      break;
  }
}

void Faults::restart(const FaultPlan& fault) {
  // An orderly stop may still be under way: then it is cut short. Two faults of one process end in one restart.
  const auto again = [](auto& process) {
    if (process.running()) process.crash();
    process.start();
  };
  if (fault.kind == FaultKind::server_crash || fault.kind == FaultKind::server_stop) {
    again(*deployment_.servers()[fault.target]);
  } else {
    again(*deployment_.client_sites()[fault.target].client);
  }
}

void Faults::all_back() {
  if (back_at_ == kNever) back_at_ = world_.now();
}

bool Faults::any_loss_excused() const noexcept { return std::ranges::any_of(plan_.faults, &FaultPlan::excuses_loss); }

bool Faults::touches(const FaultPlan& fault, const TunnelRecord& tunnel) const {
  const VisitPlan& visit = plan_.tcp_visits[tunnel.id];
  if (fault.kind == FaultKind::server_crash || fault.kind == FaultKind::server_stop)
    return visit.server == fault.target;
  if (fault.kind >= FaultKind::service_freezes && tunnel.arrivals_count > 0) {
    // It stands still or is gone, and answers nothing: a visitor that was served elsewhere was never assigned to it.
    return fault.kind != FaultKind::service_freezes &&
           tunnel.served_by == deployment_.client_sites()[fault.target].service->name();
  }
  // Of several clients of a listener any may have been asked first.
  const ClientPlan& client = plan_.clients[fault.target];
  return client.server == visit.server && client.listener == visit.listener;
}

bool Faults::excuse(const TunnelRecord& tunnel) const {
  const VisitPlan& visit = plan_.tcp_visits[tunnel.id];
  // A client that allows few streams leaves visitors waiting, and some are refused in the end.
  const bool few_streams = std::ranges::any_of(plan_.clients, [&](const ClientPlan& client) {
    return client.server == visit.server && client.listener == visit.listener &&
           client.transport.incoming_streams_max < plan_.tcp_visits.size();
  });
  if (few_streams && tunnel.arrivals_count == 0) return true;
  Time last_end = std::max(tunnel.visitor.over_at, tunnel.service.over_at);
  // What the visitor sent before its reset may still be on its way to a local service.
  if (tunnel.arrivals_count == 0 && tunnel.visitor.acknowledged_bytes > 0) last_end += limits::kLastBytesTimeMax;
  return std::ranges::any_of(plan_.faults, [&](const FaultPlan& fault) {
    if (!fault.excuses_loss() || !touches(fault, tunnel)) return false;
    return last_end >= scheduled_at_ + fault.begin && tunnel.visitor.begun_at <= back_at_;
  });
}

}  // namespace qmux::sim
