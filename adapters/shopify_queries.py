"""Every GraphQL document that is sent to Shopify.

They stand together so that a test can hold each against the schema of every supported version.
The reference: https://shopify.dev/docs/api/admin-graphql
"""

# === THE SHOP === #

SHOP = """
query Shop {
  shop { name myshopifyDomain currencyCode plan { publicDisplayName } }
  currentAppInstallation { accessScopes { handle } }
  publicApiVersions { handle supported }
}
"""

LOCATIONS = """
query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true, sortKey: ID) {
    nodes { id name isActive updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

#: What orders were taxed, shipped and paid with: a shop has no list of these to read.
USED = """
query Used($first: Int!, $after: String) {
  orders(first: $first, after: $after, sortKey: CREATED_AT, reverse: true) {
    nodes {
      paymentGatewayNames
      taxLines { title ratePercentage }
      shippingLines(first: 5) { nodes { title code } }
    }
  }
}
"""

# === CATALOGUE AND STOCK === #

VARIANTS = """
query Variants($first: Int!, $after: String, $query: String, $counted: Boolean!) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes {
      id title sku barcode updatedAt requiresComponents inventoryQuantity
      product { id title }
      inventoryItem { id tracked }
    }
    pageInfo { hasNextPage endCursor }
  }
  productVariantsCount(query: $query) @include(if: $counted) { count }
}
"""

STOCK = """
query Stock($ids: [ID!]!, $location: ID!) {
  location(id: $location) { id name isActive }
  nodes(ids: $ids) {
    ... on ProductVariant {
      id requiresComponents
      inventoryItem {
        id tracked
        inventoryLevel(locationId: $location) {
          id updatedAt quantities(names: ["available"]) { quantity }
        }
      }
    }
  }
}
"""

STOCK_PAGE = """
query StockPage($first: Int!, $after: String, $query: String, $location: ID!) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes {
      id sku updatedAt requiresComponents
      product { id title }
      inventoryItem {
        id tracked
        inventoryLevel(locationId: $location) { id quantities(names: ["available"]) { quantity } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SET_STOCK = """
mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      createdAt
      changes(quantityNames: ["available"]) { item { id tracked } }
    }
    userErrors { code field message }
  }
}
"""

ACTIVATE = """
mutation Activate($item: ID!, $location: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location) @idempotent(key: $key) {
    inventoryLevel { id quantities(names: ["available"]) { quantity } }
    userErrors { field message }
  }
}
"""

SET_PRICES = """
mutation SetPrices($id: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $id, variants: $variants, allowPartialUpdates: true) {
    product { id updatedAt }
    userErrors { code field message }
  }
}
"""

_MARK = "metafield(namespace: $namespace, key: $key) { value }"

FIND_PRODUCT = f"""
query FindProduct($handle: String!, $skus: String!, $namespace: String!, $key: String!) {{
  productByIdentifier(identifier: {{handle: $handle}}) {{ id title {_MARK} }}
  productVariants(first: 50, query: $skus) {{ nodes {{ id sku product {{ id title {_MARK} }} }} }}
}}
"""

PRODUCT = """
query Product($id: ID!, $first: Int!, $after: String) {
  product(id: $id) {
    id updatedAt
    variants(first: $first, after: $after) {
      nodes { id sku selectedOptions { name value } inventoryItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

SHOP_MONEY = "query ShopMoney { shop { currencyCode taxesIncluded } }"

PRICES = """
query Prices($first: Int!, $after: String, $query: String) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id sku price compareAtPrice updatedAt product { id title } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_VARIANT_NODES = """
      nodes {
        id sku barcode price selectedOptions { name value }
        inventoryItem { id tracked measurement { weight { unit value } } }
      }
      pageInfo { hasNextPage endCursor }
"""

PRODUCTS = (
    """
query Products($after: String, $query: String) {
  products(first: 8, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id title descriptionHtml status productType tags vendor updatedAt
      options { name values }
      variants(first: 10) {"""
    + _VARIANT_NODES
    + """      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
)

PRODUCT_VARIANTS = (
    """
query ProductVariants($id: ID!, $after: String) {
  product(id: $id) {
    variants(first: 50, after: $after) {"""
    + _VARIANT_NODES
    + """    }
  }
}
"""
)

COUNT_PRODUCTS = "query CountProducts { productsCount { count } }"

RUN_BULK = """
mutation RunBulk($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status }
    userErrors { code field message }
  }
}
"""

BULK_STATE = """
query BulkState($id: ID!) {
  node(id: $id) { ... on BulkOperation { id status errorCode url } }
}
"""

#: What a bulk operation runs: lists without pages.
BULK_PRODUCTS = """
query BulkProducts {
  products {
    edges {
      node {
        id title descriptionHtml status productType tags vendor updatedAt
        options { name values }
        variants {
          edges {
            node {
              id sku barcode price selectedOptions { name value }
              inventoryItem { id tracked measurement { weight { unit value } } }
            }
          }
        }
      }
    }
  }
}
"""

SET_PRODUCT = """
mutation SetProduct($input: ProductSetInput!) {
  productSet(input: $input, synchronous: true) {
    product { id updatedAt }
    userErrors { code field message }
  }
}
"""

SET_VARIANTS = """
mutation SetVariants($id: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $id, variants: $variants) {
    product { id updatedAt }
    userErrors { code field message }
  }
}
"""

ADD_VARIANTS = """
mutation AddVariants($id: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkCreate(productId: $id, variants: $variants) {
    productVariants { id }
    userErrors { code field message }
  }
}
"""

# === ORDERS === #

ORDERS = """
query Orders($first: Int!, $after: String, $query: String, $counted: Boolean!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes {
      id name createdAt updatedAt cancelledAt displayFinancialStatus
      totalPriceSet { shopMoney { amount currencyCode } }
    }
    pageInfo { hasNextPage endCursor }
  }
  ordersCount(query: $query) @include(if: $counted) { count }
}
"""

_MONEY = "{ shopMoney { amount currencyCode } }"
_TAXES = f"{{ title ratePercentage priceSet {_MONEY} }}"
_ADDRESS = "{ name company address1 address2 city zip provinceCode countryCodeV2 phone }"

#: An order with its lines, fifty at a time.
ORDER_DETAIL = f"""
query OrderDetail($id: ID!, $after: String) {{
  order(id: $id) {{
    id name email phone note createdAt updatedAt cancelledAt displayFinancialStatus taxesIncluded
    displayFulfillmentStatus paymentGatewayNames customerLocale tags
    customAttributes {{ key value }}
    retailLocation {{ id }}
    customer {{ id }}
    billingAddress {_ADDRESS}
    shippingAddress {_ADDRESS}
    totalPriceSet {_MONEY}
    totalTaxSet {_MONEY}
    totalTipReceivedSet {_MONEY}
    additionalFees {{ id name price {_MONEY} taxLines {_TAXES} }}
    transactions(first: 10) {{
      id kind status gateway formattedGateway paymentId processedAt amountSet {_MONEY}
    }}
    shippingLines(first: 5) {{
      nodes {{
        id title
        originalPriceSet {_MONEY}
        discountAllocations {{ allocatedAmountSet {_MONEY} }}
        taxLines {_TAXES}
      }}
    }}
    lineItems(first: 50, after: $after) {{
      nodes {{
        id sku name quantity
        variant {{ id }}
        originalTotalSet {_MONEY}
        discountAllocations {{ allocatedAmountSet {_MONEY} }}
        taxLines {_TAXES}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

#: What came back of an order; asked for only where something did.
ORDER_REFUNDS = f"""
query OrderRefunds($id: ID!) {{
  order(id: $id) {{
    refunds(first: 12) {{
      id note createdAt
      totalRefundedSet {_MONEY}
      refundLineItems(first: 10) {{
        nodes {{
          quantity restockType lineItem {{ id sku }}
          subtotalSet {_MONEY} totalTaxSet {_MONEY}
        }}
      }}
      refundShippingLines(first: 2) {{
        nodes {{ id subtotalAmountSet {_MONEY} taxAmountSet {_MONEY} }}
      }}
    }}
  }}
}}
"""

#: What the shop itself shipped; asked for only where something left.
ORDER_SHIPMENTS = """
query OrderShipments($id: ID!) {
  order(id: $id) {
    fulfillments(first: 10) {
      id status name
      location { id }
      trackingInfo(first: 10) { company number url }
      fulfillmentLineItems(first: 30) { nodes { quantity lineItem { id sku } } }
    }
  }
}
"""

ORDER = """
query Order($id: ID!, $namespace: String!, $data: String!, $file: String!) {
  order(id: $id) {
    id name note tags updatedAt
    data: metafield(namespace: $namespace, key: $data) { id value }
    file: metafield(namespace: $namespace, key: $file) { id value }
  }
}
"""

SET_METAFIELDS = """
mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { id key }
    userErrors { code field message elementIndex }
  }
}
"""

ADD_TAGS = """
mutation AddTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""

REMOVE_TAGS = """
mutation RemoveTags($id: ID!, $tags: [String!]!) {
  tagsRemove(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""

UPDATE_ORDER = """
mutation UpdateOrder($input: OrderInput!) {
  orderUpdate(input: $input) { order { id updatedAt } userErrors { field message } }
}
"""

# === STATUS === #

ORDER_STATUS = """
query OrderStatus($id: ID!) { order(id: $id) { id name note tags cancelledAt updatedAt } }
"""

#: Its errors have a name of their own; here they are called like everybody else's.
CANCEL_ORDER = """
mutation CancelOrder(
  $id: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $notify: Boolean, $note: String
  $refund: OrderCancelRefundMethodInput
) {
  orderCancel(
    orderId: $id, reason: $reason, restock: $restock, notifyCustomer: $notify, staffNote: $note
    refundMethod: $refund
  ) { job { id done } userErrors: orderCancelUserErrors { code field message } }
}
"""

# === REFUNDS === #

REFUNDS = """
query Refunds($id: ID!) {
  order(id: $id) {
    id
    totalPriceSet { shopMoney { amount currencyCode } }
    totalRefundedSet { shopMoney { amount } }
    refunds(first: 50) { id note }
    transactions(first: 20) { id kind status gateway amountSet { shopMoney { amount } } }
  }
}
"""

CREATE_REFUND = """
mutation CreateRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id }
    userErrors { field message }
  }
}
"""

# === FILES === #

STAGE_UPLOAD = """
mutation StageUpload($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url resourceUrl parameters { name value } }
    userErrors { field message }
  }
}
"""

CREATE_FILE = """
mutation CreateFile($files: [FileCreateInput!]!) {
  fileCreate(files: $files) { files { id fileStatus } userErrors { code field message } }
}
"""

FILE = """
query File($id: ID!) {
  node(id: $id) { ... on GenericFile { id fileStatus url fileErrors { code message } } }
}
"""

# === SHIPMENTS === #

SHIPPING = """
query Shipping($id: ID!) {
  order(id: $id) {
    id name
    fulfillmentOrders(first: 10) {
      nodes {
        id status
        assignedLocation { location { id name } }
        lineItems(first: 30) { nodes { id remainingQuantity lineItem { id sku } } }
      }
    }
  }
}
"""

_SHIPMENT_FIELDS = """
      id status
      trackingInfo(first: 10) { company number url }
      fulfillmentLineItems(first: 30) { nodes { quantity lineItem { id sku } } }
"""

SHIPPED = (
    """
query Shipped($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Fulfillment {"""
    + _SHIPMENT_FIELDS
    + """    }
  }
}
"""
)

SHIPMENTS = (
    """
query Shipments($id: ID!) {
  order(id: $id) {
    fulfillments(first: 10) {"""
    + _SHIPMENT_FIELDS
    + """    }
  }
}
"""
)

CREATE_FULFILLMENT = """
mutation CreateFulfillment($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status updatedAt }
    userErrors { field message }
  }
}
"""

UPDATE_TRACKING = """
mutation UpdateTracking($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {
  fulfillmentTrackingInfoUpdate(
    fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify
  ) {
    fulfillment { id status updatedAt }
    userErrors { field message }
  }
}
"""

CANCEL_FULFILLMENT = """
mutation CancelFulfillment($id: ID!) {
  fulfillmentCancel(id: $id) { fulfillment { id status updatedAt } userErrors { field message } }
}
"""

# === WEBHOOKS === #

SUBSCRIPTIONS = """
query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

#: Of each constant above.
DOCUMENTS = {
    name: text for name, text in list(vars().items()) if name.isupper() and not name.startswith("_")
}
