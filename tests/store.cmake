# SPDX-License-Identifier: EUPL-1.2
# The store.
carnet_test(store store)
