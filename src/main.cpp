// SPDX-License-Identifier: MIT
#include "app/cli/main.h"

int main(int argc, char** argv) { return qmux::app::run(argc, argv); }
