"""The words of the shop: what every stage means by product, event, request and page. Needs only numpy."""
