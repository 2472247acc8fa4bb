# SPDX-License-Identifier: EUPL-1.2
# Links and processes.
carnet_test(net net)
