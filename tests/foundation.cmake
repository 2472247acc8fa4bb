# SPDX-License-Identifier: EUPL-1.2
# The lowest layers: text, wire, crypto, sys.
carnet_test(text base)
carnet_test(cbor wire)
carnet_test(crypto crypto)
carnet_test(sys sys)
