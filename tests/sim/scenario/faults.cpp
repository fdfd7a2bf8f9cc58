// SPDX-License-Identifier: MIT
#include "sim/scenario/faults.h"

#include <algorithm>

#include "sim/world/nat.h"
#include "sim/world/network.h"

namespace qmux::sim {

void Faults::schedule() {
  scheduled_at_ = world_.now();
  for (const FaultPlan& fault : plan_.faults) {
    world_.after(fault.begin, [this, &fault] { begin(fault); });
    world_.after(fault.begin + fault.length, [this, &fault] { mend(fault); });
  }
}

void Faults::begin(const FaultPlan& fault) {
  world_.record("fault: {}", fault.text());
  switch (fault.kind) {
    case FaultKind::nat_rebinding:
      if (Nat* nat = town_.households()[fault.target].nat) nat->rebind();
      break;
    case FaultKind::path_shrinks:
      return shrink_path(fault);
    case FaultKind::short_partition:
    case FaultKind::long_partition:
      return partition(fault);
    case FaultKind::server_crash:
      if (town_.servers()[fault.target]->running()) town_.servers()[fault.target]->crash();
      break;
    case FaultKind::server_stop:
      if (town_.servers()[fault.target]->running()) town_.servers()[fault.target]->stop();
      break;
    case FaultKind::client_crash:
      if (town_.households()[fault.target].client->running()) town_.households()[fault.target].client->crash();
      break;
    case FaultKind::client_stop:
      if (town_.households()[fault.target].client->running()) town_.households()[fault.target].client->stop();
      break;
    case FaultKind::service_down:
      town_.households()[fault.target].service->go_down(fault.hard);
      town_.households()[fault.target].udp_service->go_down();
      break;
    case FaultKind::service_freezes:
      return town_.households()[fault.target].service_loop->set_frozen(true);
    case FaultKind::client_freezes:
      return town_.households()[fault.target].client->set_frozen(true);
    case FaultKind::client_vanishes:
      town_.households()[fault.target].client->host().set_dark(true);
      return town_.households()[fault.target].client->crash();
  }
}

void Faults::partition(const FaultPlan& fault) {
  const Household& household = town_.households()[fault.target];
  Network& network = world_.network();
  network.block(*household.outside, *household.server_host, {}, fault.length);
  if (fault.hard) network.block(*household.server_host, *household.outside, {}, fault.length);
}

void Faults::shrink_path(const FaultPlan& fault) {
  const Household& household = town_.households()[fault.target];
  const ClientPlan& client = plan_.clients[fault.target];
  Network& network = world_.network();
  network.link(*household.outside, *household.server_host).properties().mtu_bytes =
      std::min(client.to_server.mtu_bytes, fault.mtu_bytes);
  network.link(*household.server_host, *household.outside).properties().mtu_bytes =
      std::min(client.from_server.mtu_bytes, fault.mtu_bytes);
}

void Faults::widen_path(const FaultPlan& fault) {
  if (fault.hard) return;
  const Household& household = town_.households()[fault.target];
  const ClientPlan& client = plan_.clients[fault.target];
  Network& network = world_.network();
  network.link(*household.outside, *household.server_host).properties().mtu_bytes = client.to_server.mtu_bytes;
  network.link(*household.server_host, *household.outside).properties().mtu_bytes = client.from_server.mtu_bytes;
}

void Faults::mend(const FaultPlan& fault) {
  ++over_count_;
  switch (fault.kind) {
    case FaultKind::server_crash:
    case FaultKind::server_stop:
    case FaultKind::client_crash:
    case FaultKind::client_stop:
      return restart(fault);
    case FaultKind::service_down:
      town_.households()[fault.target].service->come_back();
      return town_.households()[fault.target].udp_service->come_back();
    case FaultKind::path_shrinks:
      return widen_path(fault);
    case FaultKind::service_freezes:
      return town_.households()[fault.target].service_loop->set_frozen(false);
    case FaultKind::client_freezes:
      return town_.households()[fault.target].client->set_frozen(false);
    case FaultKind::client_vanishes:
      town_.households()[fault.target].client->host().set_dark(false);
      return town_.households()[fault.target].client->start();
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
    again(*town_.servers()[fault.target]);
  } else {
    again(*town_.households()[fault.target].client);
  }
}

void Faults::everybody_back() {
  if (back_at_ == kNever) back_at_ = world_.now();
}

bool Faults::any_loss_excused() const noexcept { return std::ranges::any_of(plan_.faults, &FaultPlan::excuses_loss); }

bool Faults::touches(const FaultPlan& fault, const TunnelRecord& tunnel) const {
  const VisitPlan& visit = plan_.visits[tunnel.id];
  if (fault.kind == FaultKind::server_crash || fault.kind == FaultKind::server_stop)
    return visit.server == fault.target;
  if (fault.kind >= FaultKind::service_freezes && tunnel.arrivals_count > 0) {
    // It stands still or is gone, and answers nothing: who was served elsewhere has not been with it.
    return fault.kind != FaultKind::service_freezes &&
           tunnel.served_by == town_.households()[fault.target].service->name();
  }
  // Of several clients of a listener any may have been asked first.
  const ClientPlan& client = plan_.clients[fault.target];
  return client.server == visit.server && client.listener == visit.listener;
}

bool Faults::excuse(const TunnelRecord& tunnel) const {
  const VisitPlan& visit = plan_.visits[tunnel.id];
  // A client that allows few streams leaves visitors waiting, and in the end outside.
  const bool few_streams = std::ranges::any_of(plan_.clients, [&](const ClientPlan& client) {
    return client.server == visit.server && client.listener == visit.listener &&
           client.transport.incoming_streams_max < plan_.visits.size();
  });
  if (few_streams && tunnel.arrivals_count == 0) return true;
  return std::ranges::any_of(plan_.faults, [&](const FaultPlan& fault) {
    if (!fault.excuses_loss() || !touches(fault, tunnel)) return false;
    const Time last_end = std::max(tunnel.visitor.over_at, tunnel.service.over_at);
    return last_end >= scheduled_at_ + fault.begin && tunnel.visitor.begun_at <= back_at_;
  });
}

}  // namespace qmux::sim
