// SPDX-License-Identifier: MIT
#include "tunnel/server/sign_of_life.h"

#include <algorithm>

#include "base/log.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

SignOfLife::SignOfLife(WorkerState& worker, Pool& pool, const quic::Connection& connection, SignOfLifeHost& host)
    : worker_(worker),
      pool_(pool),
      connection_(connection),
      host_(host),
      offers_due_(worker.loop.timers(), [this] { ask_for_offers(); }),
      handover_due_(worker.loop.timers(), [this] { silent_for_long(); }) {}

void SignOfLife::begin(MemberId member, std::string_view client_id) {
  member_ = member;
  client_id_ = client_id;
}

void SignOfLife::peer_silent() {
  if (member_ == 0) return;
  pool_.suspect(member_);
  worker_.complaints.silent.write(worker_.loop.now(), log::Level::info, "client does not answer",
                                  {{"client_id", client_id_}, {"remote", connection_.remote_address().text()}});
  handover_due_.set(std::max(connection_.last_heard() + limits::kSilentHandoverTime,
                             connection_.asked_at() + limits::kSilentHandoverTime / 2));
}

void SignOfLife::peer_heard() {
  handover_due_.cancel();
  pool_.heard_from(member_);
}

void SignOfLife::watch_offers() {
  if (!offers_due_.is_set()) offers_due_.set(worker_.loop.now() + limits::kSilentHandoverTime / 2);
}

void SignOfLife::ask_for_offers() {
  if (!host_.has_offers()) return;
  const Time now = worker_.loop.now();
  if (!connection_.is_silent() && now >= connection_.last_heard() + limits::kSilentHandoverTime / 2)
    host_.ask_for_sign_of_life();
  offers_due_.set(now + limits::kSilentHandoverTime / 2);
}

void SignOfLife::doubt() {
  const Time now = worker_.loop.now();
  if (connection_.is_silent() || now < doubted_at_ + limits::kNamesakeQuestionInterval) return;
  doubted_at_ = now;
  host_.ask_for_sign_of_life();
}

void SignOfLife::silent_for_long() {
  // Without another client the visitors would only come back here.
  if (pool_.has_ready_besides(member_)) host_.take_back_visitors();
  handover_due_.set(worker_.loop.now() + limits::kSilentLookInterval);
}

void SignOfLife::end() {
  offers_due_.cancel();
  handover_due_.cancel();
}

}  // namespace qmux::tunnel
