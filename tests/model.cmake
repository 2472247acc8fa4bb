# SPDX-License-Identifier: EUPL-1.2
# The layer model: charter, events, records, consent.
carnet_test(charter model)
carnet_test(settings model)
carnet_fuzz(settings LAYERS model)
carnet_test(event model)
carnet_test(record model)
carnet_test(consent model)
carnet_fuzz(event LAYERS model)
