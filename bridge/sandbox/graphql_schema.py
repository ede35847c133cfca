"""The part of Magento's GraphQL schema that the sandbox shop answers. Names of types and fields are the interface."""

from __future__ import annotations

SCHEMA = """
type Query {
  storeConfig: StoreConfig
  products(search: String, filter: ProductAttributeFilterInput, pageSize: Int = 20, currentPage: Int = 1): Products
  cart(cart_id: String!): Cart
  customerCart: Cart
  customer: Customer
  route(url: String!): RoutableInterface
}

type Mutation {
  createEmptyCart(input: createEmptyCartInput): String
  addProductsToCart(cartId: String!, cartItems: [CartItemInput!]!): AddProductsToCartOutput
  addSimpleProductsToCart(input: AddSimpleProductsToCartInput): CartOutput
  updateCartItems(input: UpdateCartItemsInput): CartOutput
  removeItemFromCart(input: RemoveItemFromCartInput): CartOutput
  applyCouponToCart(input: ApplyCouponToCartInput): CartOutput
  removeCouponFromCart(input: RemoveCouponFromCartInput): CartOutput
  setGuestEmailOnCart(input: SetGuestEmailOnCartInput): CartOutput
  setShippingAddressesOnCart(input: SetShippingAddressesOnCartInput): CartOutput
  setBillingAddressOnCart(input: SetBillingAddressOnCartInput): CartOutput
  setShippingMethodsOnCart(input: SetShippingMethodsOnCartInput): CartOutput
  setPaymentMethodOnCart(input: SetPaymentMethodOnCartInput): CartOutput
  mergeCarts(source_cart_id: String!, destination_cart_id: String): Cart
  placeOrder(input: PlaceOrderInput): PlaceOrderOutput
  createCustomer(input: CustomerInput!): CustomerOutput
  createCustomerV2(input: CustomerCreateInput!): CustomerOutput
  generateCustomerToken(email: String!, password: String!): CustomerToken
  revokeCustomerToken: RevokeCustomerTokenOutput
  changeCustomerPassword(currentPassword: String!, newPassword: String!): Customer
  updateCustomerEmail(email: String!, password: String!): CustomerOutput
  requestPasswordResetEmail(email: String!): Boolean
  resetPassword(email: String!, resetPasswordToken: String!, newPassword: String!): Boolean
  subscribeEmailToNewsletter(email: String!): SubscribeEmailToNewsletterOutput
}

type StoreConfig {
  id: Int code: String store_code: ID website_code: ID website_id: Int store_name: String locale: String
  base_currency_code: String default_display_currency_code: String base_url: String secure_base_url: String
  base_media_url: String title_suffix: String
}

type Money { value: Float currency: String }
type ProductImage { url: String label: String }
type PriceRange { minimum_price: ProductPrice maximum_price: ProductPrice }
type ProductPrice { final_price: Money regular_price: Money }

interface ProductInterface {
  id: Int uid: ID sku: String name: String url_key: String url_suffix: String price_range: PriceRange
  small_image: ProductImage image: ProductImage stock_status: String
}
interface RoutableInterface { relative_url: String redirect_code: Int type: String }

type SimpleProduct implements ProductInterface & RoutableInterface { %product }
type VirtualProduct implements ProductInterface & RoutableInterface { %product }
type BundleProduct implements ProductInterface & RoutableInterface { %product }
type GroupedProduct implements ProductInterface & RoutableInterface { %product }
type ConfigurableProduct implements ProductInterface & RoutableInterface {
  %product
  configurable_options: [ConfigurableProductOptions] variants: [ConfigurableVariant]
}
type CategoryTree implements RoutableInterface {
  id: Int uid: ID name: String url_key: String relative_url: String redirect_code: Int type: String
}
type CmsPage implements RoutableInterface {
  identifier: String title: String relative_url: String redirect_code: Int type: String
}
type ConfigurableProductOptions {
  attribute_code: String attribute_uid: ID values: [ConfigurableProductOptionsValues]
}
type ConfigurableProductOptionsValues { uid: ID label: String }
type ConfigurableVariant { product: SimpleProduct attributes: [ConfigurableAttributeOption] }
type ConfigurableAttributeOption { code: String label: String uid: ID }

type Products {
  total_count: Int items: [ProductInterface] page_info: SearchResultPageInfo aggregations: [Aggregation]
}
type SearchResultPageInfo { current_page: Int page_size: Int total_pages: Int }
type Aggregation { attribute_code: String label: String options: [AggregationOption] }
type AggregationOption { label: String value: String count: Int }

type Cart {
  id: ID email: String total_quantity: Float is_virtual: Boolean items: [CartItemInterface] prices: CartPrices
  applied_coupons: [AppliedCoupon] available_payment_methods: [PaymentMethod] selected_payment_method: PaymentMethod
  shipping_addresses: [ShippingCartAddress] billing_address: CartAddress
}
interface CartItemInterface { %item }
type SimpleCartItem implements CartItemInterface { %item }
type VirtualCartItem implements CartItemInterface { %item }
type BundleCartItem implements CartItemInterface { %item }
type ConfigurableCartItem implements CartItemInterface { %item configured_variant: ProductInterface }
type CartItemPrices { price: Money row_total: Money }
type CartItemError { code: String message: String }
type CartPrices {
  grand_total: Money subtotal_excluding_tax: Money subtotal_including_tax: Money discounts: [Discount]
}
type Discount { amount: Money label: String }
type AppliedCoupon { code: String }
type PaymentMethod { code: String title: String }
type CartAddress { firstname: String lastname: String city: String postcode: String street: [String] }
type ShippingCartAddress {
  firstname: String lastname: String city: String postcode: String street: [String]
  available_shipping_methods: [ShippingMethod] selected_shipping_method: ShippingMethod
}
type ShippingMethod {
  carrier_code: String method_code: String carrier_title: String method_title: String amount: Money
}
type CartOutput { cart: Cart }
type AddProductsToCartOutput { cart: Cart user_errors: [CartItemError] }
type PlaceOrderOutput { order: PlacedOrder }
type PlacedOrder { order_number: String order_id: String }

type Customer {
  id: Int firstname: String lastname: String email: String is_subscribed: Boolean addresses: [CustomerAddress]
  orders(pageSize: Int = 20, currentPage: Int = 1): CustomerOrders
}
type CustomerAddress { id: Int city: String postcode: String street: [String] }
type CustomerOrders { total_count: Int items: [CustomerOrder] }
type CustomerOrder { id: ID number: String status: String order_date: String total: OrderTotal }
type OrderTotal { grand_total: Money }
type CustomerOutput { customer: Customer }
type CustomerToken { token: String }
type RevokeCustomerTokenOutput { result: Boolean }
type SubscribeEmailToNewsletterOutput { status: String }

input createEmptyCartInput { cart_id: String }
input ProductAttributeFilterInput {
  sku: FilterEqualTypeInput url_key: FilterEqualTypeInput category_id: FilterEqualTypeInput
}
input FilterEqualTypeInput { eq: String in: [String] }
input EnteredOptionInput { uid: ID! value: String! }
input CartItemInput {
  sku: String! parent_sku: String quantity: Float! selected_options: [ID] entered_options: [EnteredOptionInput]
}
input AddSimpleProductsToCartInput { cart_id: String! cart_items: [SimpleProductCartItemInput]! }
input SimpleProductCartItemInput { data: SimpleCartItemData! }
input SimpleCartItemData { sku: String! quantity: Float! }
input UpdateCartItemsInput { cart_id: String! cart_items: [CartItemUpdateInput!]! }
input CartItemUpdateInput { cart_item_id: Int cart_item_uid: ID quantity: Float }
input RemoveItemFromCartInput { cart_id: String! cart_item_id: Int cart_item_uid: ID }
input ApplyCouponToCartInput { cart_id: String! coupon_code: String! }
input RemoveCouponFromCartInput { cart_id: String! }
input SetGuestEmailOnCartInput { cart_id: String! email: String! }
input SetShippingAddressesOnCartInput { cart_id: String! shipping_addresses: [ShippingAddressInput]! }
input ShippingAddressInput { address: CartAddressInput customer_address_id: Int }
input SetBillingAddressOnCartInput { cart_id: String! billing_address: BillingAddressInput! }
input BillingAddressInput { address: CartAddressInput customer_address_id: Int same_as_shipping: Boolean }
input CartAddressInput {
  firstname: String! lastname: String! street: [String]! city: String! postcode: String country_code: String!
  telephone: String company: String region: String save_in_address_book: Boolean
}
input SetShippingMethodsOnCartInput { cart_id: String! shipping_methods: [ShippingMethodInput]! }
input ShippingMethodInput { carrier_code: String! method_code: String! }
input SetPaymentMethodOnCartInput { cart_id: String! payment_method: PaymentMethodInput! }
input PaymentMethodInput { code: String! }
input PlaceOrderInput { cart_id: String! }
input CustomerInput {
  firstname: String lastname: String email: String password: String is_subscribed: Boolean
}
input CustomerCreateInput {
  firstname: String! lastname: String! email: String! password: String is_subscribed: Boolean
}
""".replace(
    "%product",
    "id: Int uid: ID sku: String name: String url_key: String url_suffix: String price_range: PriceRange "
    "small_image: ProductImage image: ProductImage stock_status: String "
    "relative_url: String redirect_code: Int type: String",
).replace(
    "%item",
    "id: String uid: ID quantity: Float product: ProductInterface prices: CartItemPrices errors: [CartItemError]",
)
