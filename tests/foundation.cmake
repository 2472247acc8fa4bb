# SPDX-License-Identifier: EUPL-1.2
# The lowest layers: text, wire, crypto, sys.
carnet_test(text base)
carnet_test(cbor wire)
target_sources(test_cbor PRIVATE support/cbor_reference.c)
carnet_fuzz(cbor SUPPORT support/cbor_reference.c LAYERS wire)
carnet_test(crypto crypto)
carnet_test(sys sys)

add_test(NAME purity_planted COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/purity_planted.sh ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
set_tests_properties(purity_planted PROPERTIES LABELS quick TIMEOUT 120)
